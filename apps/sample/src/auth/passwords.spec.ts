import { describe, expect, it } from '@jest/globals';
import { hashPassword, verifyPassword } from './passwords.js';

describe('passwords', () => {
  it('accepts the password that was hashed', async () => {
    expect(await verifyPassword('demo', await hashPassword('demo'))).toBe(true);
  });

  it.each(['Demo', 'demo ', ''])('refuses %j in its place', async (password) => {
    expect(await verifyPassword(password, await hashPassword('demo'))).toBe(false);
  });

  it('hashes the same password differently every time', async () => {
    expect(await hashPassword('demo')).not.toBe(await hashPassword('demo'));
  });

  it('keeps no trace of the password in the hash', async () => {
    expect(await hashPassword('demo')).toMatch(/^scrypt\$16384\$8\$5\$[\w-]{22}\$[\w-]{43}$/);
  });

  it('still verifies a hash that was made at another cost', async () => {
    const cheaper =
      'scrypt$1024$8$1$AAAAAAAAAAAAAAAAAAAAAA$WjAC2RWP79UobHHcfq-htgUqLOzpNw01kVQnZJjuF94';
    expect(await verifyPassword('demo', cheaper)).toBe(true);
  });

  it('takes a character typed composed and decomposed as the same', async () => {
    expect(await verifyPassword('pa\u0301ss', await hashPassword('p\u00e1ss'))).toBe(true);
  });

  it.each(['', 'demo', 'scrypt$16384$8$5', 'bcrypt$16384$8$5$AAAA$AAAA'])(
    'refuses everything for %j, which is not one of its hashes',
    async (hash) => {
      expect(await verifyPassword('demo', hash)).toBe(false);
    },
  );
});
