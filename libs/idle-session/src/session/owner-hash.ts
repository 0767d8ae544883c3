import { createHmac } from 'node:crypto';

const HASH_BYTES = 16;

/** Who a session belongs to, as the storage sees it: owners are guessable, so the hash has a key. */
export function ownerHash(secret: string | Buffer, owner: string): string {
  const hmac = createHmac('sha256', secret).update(`idle-session owner\0${owner}`);
  return hmac.digest().toString('base64url', 0, HASH_BYTES);
}
