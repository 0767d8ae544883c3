import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { withinTimeLimit } from './time-limit.js';

const never = () => new Promise<never>(() => {});

afterEach(() => {
  jest.useRealTimers();
});

describe('A time limit', () => {
  it('passes on the answer', async () => {
    expect(await withinTimeLimit(1000, async () => 'answer')).toBe('answer');
  });

  it('gives up on an answer that never comes, and says after how long', async () => {
    await expect(withinTimeLimit(5, never)).rejects.toThrow('no answer within 5 ms');
  });

  it.each([
    ['a rejection', () => Promise.reject(new Error('gone'))],
    [
      'a throw before there is a promise',
      () => {
        throw new Error('gone');
      },
    ],
  ])('passes on %s', async (_, ask) => {
    await expect(withinTimeLimit(1000, ask)).rejects.toThrow('gone');
  });

  it('takes an answer that arrived while the event loop was blocked', async () => {
    const { port1, port2 } = new MessageChannel();
    const ask = () => {
      port2.postMessage('the answer');
      return once(port1, 'message');
    };
    // After setImmediate() come timers, and only then what arrived.
    const answer = await new Promise((resolve, reject) => {
      setImmediate(() => {
        withinTimeLimit(5, ask).then(resolve, reject);
        const until = performance.now() + 60;
        while (performance.now() < until);
      });
    });
    port1.close();
    expect(answer).toEqual(['the answer']);
  });

  it('is over early enough to say so in time', async () => {
    jest.useFakeTimers();
    let isOver = false;
    const over = withinTimeLimit(400, never).catch(() => (isOver = true));
    await jest.advanceTimersByTimeAsync(359);
    expect(isOver).toBe(false);
    await jest.advanceTimersByTimeAsync(2);
    await over;
    expect(isOver).toBe(true);
  });

  it('is over for each question after its own time', async () => {
    jest.useFakeTimers();
    const order: string[] = [];
    const ask = (name: string) => withinTimeLimit(400, never).catch(() => order.push(name));
    void ask('first');
    await jest.advanceTimersByTimeAsync(100);
    void ask('second');
    await jest.advanceTimersByTimeAsync(261);
    expect(order).toEqual(['first']);
    await jest.advanceTimersByTimeAsync(100);
    expect(order).toEqual(['first', 'second']);
  });

  it('ignores an answer that comes too late', async () => {
    let answer: (value: string) => void;
    const late = new Promise<string>((resolve) => (answer = resolve));
    const outcome = withinTimeLimit(5, () => late).catch((error: Error) => error.message);
    expect(await outcome).toBe('no answer within 5 ms');
    answer!('late');
    expect(await outcome).toBe('no answer within 5 ms');
  });

  it('leaves no timer behind that would keep the process alive', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout');
    const before = timers().length;
    await withinTimeLimit(60_000, async () => 'answer');
    await withinTimeLimit(60_000, () => Promise.reject(new Error('gone'))).catch(() => {});
    expect(timers()).toHaveLength(before);
  });
});
