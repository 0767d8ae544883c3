import type { EndReason } from 'nestjs-idle-session';

export interface Notice {
  readonly tone: 'calm' | 'serious';
  readonly heading: string;
  readonly text: string;
}

const FOR_SECURITY = {
  tone: 'serious',
  heading: 'For your security, we signed you out',
} as const;

const NOTICES: Record<EndReason, (idleTimeout: string | undefined) => Notice> = {
  idle: (idleTimeout) => ({
    ...FOR_SECURITY,
    text: idleTimeout ? `You were inactive for ${idleTimeout}.` : 'You were inactive.',
  }),
  absolute: () => ({
    ...FOR_SECURITY,
    text: 'You had been signed in for as long as we allow without asking for your password again.',
  }),
  'signed-out': () => ({
    tone: 'calm',
    heading: 'You have signed out',
    text: 'If you share this computer, close the browser window too.',
  }),
  revoked: () => ({
    ...FOR_SECURITY,
    text: 'You were signed out on another device, or by a newer sign-in. If that was not you, sign in and check your devices.',
  }),
  lost: () => ({
    tone: 'serious',
    heading: 'Please sign in again',
    text: 'We lost track of your session. You have done nothing wrong.',
  }),
};

/** Why the person has to sign in again, in words for them. */
export function signOutNotice(reason: EndReason, idleTimeout: string | undefined): Notice {
  return NOTICES[reason](idleTimeout);
}

/** The reason in an address, where anybody can write anything. */
export function toEndReason(value: unknown): EndReason | undefined {
  return typeof value === 'string' && Object.hasOwn(NOTICES, value)
    ? (value as EndReason)
    : undefined;
}
