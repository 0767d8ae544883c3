import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** Said where a person who is signed in gives their password again. */
export const WRONG_PASSWORD = 'The password is wrong. Check it, then enter it again.';

// OWASP Password Storage Cheat Sheet, scrypt: 16 MiB a hash.
const COST = { N: 2 ** 14, r: 8, p: 5 };
const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** `scrypt$N$r$p$salt$key`: what a hash was made with stays with it, so the cost can be raised later. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await deriveKey(password, salt, KEY_BYTES, COST);
  const encoded = [salt, key].map((bytes) => bytes.toString('base64url'));
  return ['scrypt', COST.N, COST.r, COST.p, ...encoded].join('$');
}

export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const [scheme, N, r, p, salt = '', key = ''] = hash.split('$');
  const expected = Buffer.from(key, 'base64url');
  if (scheme !== 'scrypt' || expected.length === 0) return false;
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  const saltBytes = Buffer.from(salt, 'base64url');
  const actual = await deriveKey(password, saltBytes, expected.length, cost);
  return timingSafeEqual(actual, expected);
}

function deriveKey(
  password: string,
  salt: Buffer,
  length: number,
  cost: { N: number; r: number; p: number },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // One person may type a character composed, another decomposed: the password is the same.
    scrypt(password.normalize('NFKC'), salt, length, cost, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
