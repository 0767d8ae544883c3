import { describe, expect, it } from '@jest/globals';
import { RedisOwnerIndex } from './redis-owner-index.js';

const SESSIONS = 2000;

/** Counts how often a field of an array is read, and refuses to be copied. */
function counting<T>(array: T[]) {
  const counted = { reads: 0, array };
  counted.array = new Proxy(array, {
    get(target, name) {
      if (name === 'length') return target.length;
      // A promise asks whether it is one, too.
      if (name === 'then') return undefined;
      if (!/^\d+$/.test(String(name)))
        throw new Error(`It is copied, or iterated: ${String(name)}`);
      counted.reads += 1;
      return target[Number(name)];
    },
  });
  return counted;
}

describe('The index of an owner on Redis', () => {
  it('reads each of very many sessions once, so that it holds up no other request', async () => {
    const fields = Array.from({ length: SESSIONS }, (_, at) => [`key-${at}`, `${at} {}`]).flat();
    const reply = [SESSIONS, ...fields];
    const counted = counting(reply);
    const answer = async () => counted.array;
    const index = new RedisOwnerIndex({ evalSha: answer, eval: answer }, '');
    const { sessions } = await index.list('owner');
    expect(counted.reads).toBe(reply.length);
    expect(sessions).toHaveLength(SESSIONS);
    expect(sessions.at(-1)).toEqual({ key: 'key-1999', addedAt: 1999, description: {} });
  });
});
