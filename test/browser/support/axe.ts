import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';

interface Axe {
  run(options: RunOptions): Promise<AxeResults>;
}

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const COLOURS = {
  light: { colorScheme: 'light', forcedColors: 'none' },
  dark: { colorScheme: 'dark', forcedColors: 'none' },
  forced: { colorScheme: 'light', forcedColors: 'active' },
} as const;

/** What axe finds wrong in the page in each of the colours that people may have set. */
export async function violationsInAllColours(page: Page): Promise<string[]> {
  const all: string[] = [];
  for (const [name, colours] of Object.entries(COLOURS)) {
    await page.emulateMedia(colours);
    all.push(...(await violations(page)).map((violation) => `${name}: ${violation}`));
  }
  return all;
}

/** What axe finds wrong in the page; to wait for it, it needs time to pass. */
export async function violations(page: Page): Promise<string[]> {
  await page.context().clock.resume();
  await page.evaluate(source);
  // All that axe looked at would be long: only what is told here leaves the page.
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: Axe };
    const results = await axe.run({ resultTypes: ['violations'] });
    return results.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
  });
}
