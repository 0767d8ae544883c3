import { jest } from '@jest/globals';

/** From now on, until mocks are restored, this process's monotonic clock is a minute ahead: an outage is over by then. */
export function aMinuteLater(): void {
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + 60_000);
}
