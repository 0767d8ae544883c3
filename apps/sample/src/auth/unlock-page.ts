import type { Request } from 'express';

export const UNLOCK_URL = '/unlock';

/** Shows nothing of the person's: somebody else may be at the screen. */
export function unlockPage(request: Request, returnTo: string, passwordError?: string) {
  return {
    title: 'Locked',
    userId: request.session.user?.id,
    action: `${UNLOCK_URL}?${new URLSearchParams({ returnTo })}`,
    passwordError,
    errors: passwordError && [{ field: 'password', text: passwordError }],
  };
}
