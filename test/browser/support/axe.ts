import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';

interface Axe {
  run(options: RunOptions): Promise<AxeResults>;
}

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

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
