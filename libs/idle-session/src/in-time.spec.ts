import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { StorageUnavailableException } from './idle-session.exceptions.js';
import { inTime } from './in-time.js';

const failure = (ask: () => Promise<unknown>, timeoutMs = 1000) =>
  inTime(ask, timeoutMs).catch((error: unknown) => error);

describe('inTime', () => {
  it('passes on the answer', async () => {
    expect(await inTime(async () => 'answer', 1000)).toBe('answer');
  });

  it('gives up on an answer that never comes, and says after how long', async () => {
    const error = await failure(() => new Promise(() => {}), 5);
    expect(error).toBeInstanceOf(StorageUnavailableException);
    expect(error).toMatchObject({ cause: { message: 'no answer within 5 ms' } });
  });

  it.each([
    ['a rejection', () => Promise.reject(new Error('gone'))],
    [
      'a throw before there is a promise',
      () => {
        throw new Error('gone');
      },
    ],
  ])('turns %s into the same kind of error, with its cause', async (_, ask) => {
    const error = await failure(ask);
    expect(error).toBeInstanceOf(StorageUnavailableException);
    expect(error).toMatchObject({ cause: { message: 'gone' } });
  });

  it('tells the user nothing about the cause', async () => {
    const error = (await failure(() =>
      Promise.reject(new Error('redis://user:hunter2@db')),
    )) as StorageUnavailableException;
    expect(JSON.stringify(error.getResponse())).not.toContain('hunter2');
    expect(error.message).not.toContain('hunter2');
  });

  it('takes an answer that arrived while the event loop was blocked', async () => {
    // After setImmediate() come timers, and only then what arrived.
    const answer = await new Promise<Stats>((resolve, reject) => {
      setImmediate(() => {
        inTime(() => stat('.'), 5).then(resolve, reject);
        const until = performance.now() + 60;
        while (performance.now() < until);
      });
    });
    expect(answer.isDirectory()).toBe(true);
  });

  it('leaves no timer behind that would keep the process alive', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout');
    const before = timers().length;
    await inTime(async () => 'answer', 60_000);
    await failure(() => Promise.reject(new Error('gone')), 60_000);
    expect(timers()).toHaveLength(before);
  });
});
