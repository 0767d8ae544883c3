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

const REF = /^[\w-]{22}$/;

/** Whether a value, from a browser say, has the form of a reference: the storage keeps what is its own under keys that have not. */
export function isSessionRef(value: unknown): value is string {
  return typeof value === 'string' && REF.test(value);
}
