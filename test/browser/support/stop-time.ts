import type { BrowserContext } from 'playwright-core';

/** Time passes in the pages of a context only when they are told. */
export async function stopTime(context: BrowserContext): Promise<void> {
  await context.clock.install({ time: '2026-01-01T09:00:00Z' });
  await context.clock.pauseAt('2026-01-01T10:00:00Z');
  // Ahead of the times in the browser's own records, which stay real: those count as old news then.
  await context.addInitScript(() => {
    const now = performance.now.bind(performance);
    performance.now = () => now() + 3_600_000;
  });
}
