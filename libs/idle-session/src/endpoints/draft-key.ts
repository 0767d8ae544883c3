import { hkdfSync } from 'node:crypto';

const DRAFT_KEY_BYTES = 32;

/**
 * The key that encrypts an owner's drafts in the browser: always the same for the same owner and secret, and of no
 * use for finding out either.
 */
export function draftKey(secret: string | Buffer, owner: string): string {
  const key = hkdfSync('sha256', secret, '', `idle-session draft-key\0${owner}`, DRAFT_KEY_BYTES);
  return Buffer.from(key).toString('base64url');
}
