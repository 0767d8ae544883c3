import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { Turnstile } from './turnstile.js';

it('lets so many pass in each turn of the event loop, and all of them in the end', async () => {
  const turnstile = new Turnstile(3);
  let passed = 0;
  for (let each = 0; each < 10; each++) void turnstile.pass().then(() => (passed += 1));
  const inTurns: number[] = [];
  for (let before = 0; passed < 10; before = passed) {
    await (before === 0 ? Promise.resolve() : nextTurn());
    inTurns.push(passed - before);
  }
  expect(inTurns).toEqual([3, 3, 3, 1]);
});
