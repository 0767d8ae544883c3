import type { Request } from 'express';
import { safeReturnTo } from 'nestjs-idle-session';
import { page } from '../page.js';

export const CONFIRM_URL = '/confirm';

export function confirmPage(request: Request, returnTo: string, passwordError?: string) {
  return {
    ...page(request, 'Confirm that it is you'),
    action: `${CONFIRM_URL}?${new URLSearchParams({ returnTo })}`,
    passwordError,
    errors: passwordError && [{ field: 'password', text: passwordError }],
  };
}

/** Where a sign-in leads that was on its way to confirm: the sign-in is the proof. */
export function pastConfirm(returnTo: string): string {
  const { pathname, searchParams } = new URL(returnTo, 'http://claims-desk.invalid');
  return pathname === CONFIRM_URL ? safeReturnTo(searchParams.get('returnTo')) : returnTo;
}
