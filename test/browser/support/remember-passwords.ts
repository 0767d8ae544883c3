import type { Users } from '../../../apps/sample/src/auth/users.js';

const known = new Map<string, ReturnType<Users['authenticate']>>();

/** Hashes each password once for all apps of a test file: that takes 0.2 s of a processor. */
export function rememberPasswords(users: Users): void {
  const authenticate = users.authenticate.bind(users);
  users.authenticate = (username, password) => {
    const key = JSON.stringify([username, password]);
    if (!known.has(key)) known.set(key, authenticate(username, password));
    return known.get(key)!;
  };
}
