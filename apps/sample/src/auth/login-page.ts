import type { Request } from 'express';
import type { EndReason } from 'nestjs-idle-session';
import { signOutAfter } from '../page.js';
import { signOutNotice } from './sign-out-notice.js';

interface LoginPageState {
  readonly returnTo: string;
  readonly endReason?: EndReason;
  readonly username?: string;
  readonly isWrong?: boolean;
}

const WRONG = 'The user name or the password is wrong';

export function loginPage(request: Request, state: LoginPageState) {
  const { returnTo, endReason, username = '', isWrong = false } = state;
  const idleTimeout = signOutAfter(request);
  const notice = endReason && signOutNotice(endReason, idleTimeout);
  return {
    title: notice?.heading ?? 'Sign in',
    notice,
    returnTo: returnTo === '/' ? undefined : returnTo,
    username,
    usernameError: isWrong ? WRONG : undefined,
    errors: isWrong ? [{ field: 'username', text: WRONG }] : undefined,
    signOutAfter: idleTimeout,
  };
}
