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
    text: `We do this after ${idleTimeout ?? 'some time'} without activity.`,
  }),
  absolute: () => ({
    ...FOR_SECURITY,
    text: 'From time to time we ask everybody for their password again, also while they work.',
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
    text: 'Something went wrong on our side, and we no longer know who you are. You have done nothing wrong.',
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
