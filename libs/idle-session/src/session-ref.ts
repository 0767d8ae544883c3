import { hash } from 'node:crypto';

/**
 * A one-way reference to a session: tells sessions apart in storage keys, events and answers without giving the id
 * away (ASVS 5.0, 16.2.5). Session ids are random, so that a plain hash is enough.
 */
export function sessionRef(sessionId: string): string {
  const digest = hash('sha256', `idle-session:${sessionId}`, 'buffer');
  return digest.toString('base64url', 0, REF_BYTES);
}

/** 128 bits: nobody meets another's by chance. */
const REF_BYTES = 16;
