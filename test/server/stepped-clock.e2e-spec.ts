import { afterEach, describe, expect, it, jest } from '@jest/globals';
import expressSession from 'express-session';
import { MemoryActivityStorage } from 'nestjs-idle-session';
import { HOUR, MINUTE, SECRET } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();
afterEach(() => {
  jest.useRealTimers();
});

/** An app on memory as users have it, on the clocks of its process. */
const onMemory = () =>
  start({
    options: {
      storage: new MemoryActivityStorage(),
      session: { secret: SECRET, store: new expressSession.MemoryStore() },
    },
  });

/** Lets the test move the clocks; everything else goes on. */
const useFakeClocks = () =>
  jest.useFakeTimers({
    doNotFake: [
      'nextTick',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
      'setTimeout',
      'clearTimeout',
    ],
  });

describe('Memory, when the wall clock of the machine is set', () => {
  it.each([
    ['an hour ahead', HOUR],
    ['a day ahead', 24 * HOUR],
    ['an hour back', -HOUR],
  ])('%s, signs nobody out', async (_, stepMs) => {
    useFakeClocks();
    const test = await onMemory();
    const ada = await test.signedIn();
    jest.setSystemTime(Date.now() + stepMs);
    await ada.get('/page').expect(200, { user: 'ada' });
    jest.advanceTimersByTime(14 * MINUTE);
    await ada.get('/page').expect(200, { user: 'ada' });
  });

  it.each([
    ['an hour ahead', HOUR],
    ['an hour back', -HOUR],
  ])('%s, keeps nobody in who is idle', async (_, stepMs) => {
    useFakeClocks();
    const test = await onMemory();
    const ada = await test.signedIn();
    jest.setSystemTime(Date.now() + stepMs);
    jest.advanceTimersByTime(15 * MINUTE);
    const { body } = await ada.get('/page').expect(401);
    expect(body.reason).toBe('idle');
  });
});
