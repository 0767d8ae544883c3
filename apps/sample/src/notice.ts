import type { Request } from 'express';
import { saveSession } from './sessions/session-calls.js';

declare module 'express-session' {
  interface SessionData {
    /** What the next page says was done. */
    notice?: string;
  }
}

/** Says on the next page what was done: a form is answered with a redirect, which has no words. */
export async function leaveNotice(request: Request, notice: string): Promise<void> {
  request.session.notice = notice;
  await saveSession(request);
}

/** What there is to say, once. */
export function takeNotice({ session }: Request): string | undefined {
  const { notice } = session;
  delete session.notice;
  return notice;
}
