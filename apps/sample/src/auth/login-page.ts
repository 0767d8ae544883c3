import type { Request } from 'express';
import type { EndReason } from 'nestjs-idle-session';
import { signOutAfter } from '../page.js';
import { AFTER_SIGN_OUT, unsentAfterEnd } from '../unsent-work.js';
import { signOutNotice } from './sign-out-notice.js';

interface LoginPageState {
  readonly returnTo: string;
  readonly endReason?: EndReason;
  readonly username?: string;
  readonly isWrong?: boolean;
}

/** Marks no field: which of the two is wrong is not for strangers to know. */
const WRONG = 'The user name or the password is wrong. Check both, then sign in again.';

export function loginPage(request: Request, state: LoginPageState) {
  const { returnTo, endReason, username = '', isWrong = false } = state;
  const idleTimeout = signOutAfter(request);
  const notice = endReason && signOutNotice(endReason, idleTimeout);
  return {
    title: notice?.heading ?? 'Sign in',
    notice,
    unsent:
      endReason === 'signed-out' ? AFTER_SIGN_OUT : unsentAfterEnd(returnTo.split(/[?#]/)[0]!),
    returnTo: returnTo === '/' ? undefined : returnTo,
    username,
    errors: isWrong ? [{ text: WRONG }] : undefined,
    signOutAfter: idleTimeout,
  };
}
