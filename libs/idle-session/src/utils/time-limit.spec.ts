import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { StorageUnavailableException } from '../session/idle-session.exceptions.js';
import { Deadline } from './time-limit.js';

const inTime = <T>(question: () => Promise<T>, timeoutMs: number) =>
  new Deadline(timeoutMs).ask(question);

const failure = (question: () => Promise<unknown>, timeoutMs = 1000) =>
  inTime(question, timeoutMs).catch((error: unknown) => error);

describe('A deadline', () => {
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

  it('is over early enough to say so in time', async () => {
    const began = performance.now();
    await failure(() => new Promise(() => {}), 400);
    expect(performance.now() - began).toBeLessThan(400);
    expect(performance.now() - began).toBeGreaterThan(0.8 * 400);
  });

  it('that nobody answers in is over for all who have waited for half of it', async () => {
    const deadline = new Deadline(400);
    const order: string[] = [];
    const ask = (name: string) =>
      deadline.ask(() => new Promise(() => {})).catch(() => order.push(name));
    const first = ask('first');
    await new Promise((resolve) => setTimeout(resolve, 80));
    void ask('second');
    await new Promise((resolve) => setTimeout(resolve, 200));
    const late = ask('late');
    await first;
    await new Promise(setImmediate);
    expect(order).toEqual(['first', 'second']);
    await late;
  });

  it('is over for one alone while others are answered', async () => {
    const deadline = new Deadline(200);
    const began = performance.now();
    const silent = () =>
      deadline.ask(() => new Promise(() => {})).catch(() => performance.now() - began);
    const first = silent();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await deadline.ask(async () => 'answer');
    const second = silent();
    expect(await first).toBeLessThan(200);
    expect(await second).toBeGreaterThan(200);
  });

  it('is still there for others after somebody threw at being told', async () => {
    const deadline = new Deadline(100);
    const later = setImmediate;
    const thrown = new Promise((resolve) => {
      jest.spyOn(globalThis, 'setImmediate').mockImplementation(((run: () => void) =>
        later(() => {
          try {
            run();
          } catch (error) {
            resolve(error);
          }
        })) as never);
    });
    const silent = () => {};
    deadline.call(silent, () => {
      throw new Error('at being told');
    });
    expect(await thrown).toMatchObject({ message: 'at being told' });
    jest.restoreAllMocks();
    await new Promise((resolve) => deadline.call(silent, resolve));
  });

  it('takes the first answer, and a late one for nothing', () => {
    const heard: unknown[] = [];
    new Deadline(1000).call<string>(
      (done) => {
        done(undefined, 'first');
        done(undefined, 'second');
        done(new Error('third'));
      },
      (_, value) => heard.push(value),
    );
    expect(heard).toEqual(['first']);
  });

  it('leaves no timer behind that would keep the process alive', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout');
    const before = timers().length;
    await inTime(async () => 'answer', 60_000);
    await failure(() => Promise.reject(new Error('gone')), 60_000);
    expect(timers()).toHaveLength(before);
  });
});
