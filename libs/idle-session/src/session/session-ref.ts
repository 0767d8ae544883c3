import { hash } from 'node:crypto';

/** Of base64url: 132 bits. */
const REF_LENGTH = 22;

/**
 * A one-way reference to a session: tells sessions apart in storage keys, events and answers without giving the id
 * away (ASVS 5.0, 16.2.5). Session ids are random, so that a plain hash is enough.
 */
export function sessionRef(sessionId: string): string {
  return hash('sha256', `idle-session:${sessionId}`, 'base64url').slice(0, REF_LENGTH);
}
