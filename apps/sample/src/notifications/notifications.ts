import type { SentClaim } from '../claims/sent-claim.js';

export interface Notification {
  readonly id: string;
  readonly text: string;
}

const WELCOME: Notification = {
  id: 'welcome',
  text: 'New: you can report a claim without calling us.',
};

/** What the desk has to say. A real app would ask its own store. */
export function notificationsFor(claims: readonly SentClaim[]): Notification[] {
  const received = claims.map(({ reference }) => ({
    id: reference,
    text: `We received claim ${reference}. You will hear from us within two working days.`,
  }));
  return [...received, WELCOME];
}
