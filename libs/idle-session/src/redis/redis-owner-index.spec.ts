import { describe, expect, it } from '@jest/globals';
import { RedisOwnerIndex } from './redis-owner-index.js';

const SESSIONS = 2000;

/** Counts how often anything of an array is read. */
function counting<T>(array: T[]) {
  const counted = { reads: 0, array };
  counted.array = new Proxy(array, {
    get(target, name, receiver) {
      counted.reads += 1;
      return Reflect.get(target, name, receiver) as unknown;
    },
  });
  return counted;
}

describe('The index of an owner on Redis', () => {
  it('reads each of very many sessions once, so that it holds up no other request', async () => {
    const fields = Array.from({ length: SESSIONS }, (_, at) => [`key-${at}`, `${at} {}`]).flat();
    const counted = counting([SESSIONS, ...fields]);
    const reply = async () => counted.array;
    const index = new RedisOwnerIndex({ evalSha: reply, eval: reply }, '');
    const { sessions } = await index.list('owner');
    // The index reads the length, too. One that copied the rest for each session would read a thousand times as much.
    expect(counted.reads).toBeLessThan(3 * fields.length);
    expect(sessions).toHaveLength(SESSIONS);
    expect(sessions.at(-1)).toEqual({ key: 'key-1999', addedAt: 1999, description: {} });
  });
});
