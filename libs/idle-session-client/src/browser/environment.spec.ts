import { expect, it } from '@jest/globals';
import { ANSWER_TIMEOUT_MS, LOCK_KEPT_MS, LOCK_TIMEOUT_MS } from './environment.js';

it('A tab waits for the one that sends the heartbeat for as long as that may wait: a slow server gets one, not one from each tab', () => {
  expect(LOCK_TIMEOUT_MS).toBeGreaterThan(ANSWER_TIMEOUT_MS + LOCK_KEPT_MS);
});
