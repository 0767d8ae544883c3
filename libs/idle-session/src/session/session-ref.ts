import { hash } from 'node:crypto';

const REF_BYTES = 16;

/**
 * A one-way reference to a session: tells sessions apart in storage keys, events and answers without giving the id
 * away (ASVS 5.0, 16.2.5). Session ids are random, so that a plain hash is enough.
 */
export function sessionRef(sessionId: string): string {
  // From a buffer: a slice of a longer string would keep all of that in memory, for each session.
  return hash('sha256', `idle-session:${sessionId}`, 'buffer').toString('base64url', 0, REF_BYTES);
}
