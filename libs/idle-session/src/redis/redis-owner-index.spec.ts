import { describe, expect, it } from '@jest/globals';
import { RedisOwnerIndex } from './redis-owner-index.js';

const SESSIONS = 20_000;

describe('The index of an owner on Redis', () => {
  it('reads very many sessions in a time that grows with their number, and no faster', async () => {
    const fields = Array.from({ length: SESSIONS }, (_, at) => [`key-${at}`, `${at} {}`]).flat();
    const reply = async () => [SESSIONS, ...fields];
    const index = new RedisOwnerIndex({ evalSha: reply, eval: reply }, '');
    const began = performance.now();
    const { sessions } = await index.list('owner');
    // Squared, it takes seconds, and no other request is answered meanwhile.
    expect(performance.now() - began).toBeLessThan(500);
    expect(sessions).toHaveLength(SESSIONS);
    expect(sessions.at(-1)).toEqual({ key: 'key-19999', addedAt: 19_999, description: {} });
  });
});
