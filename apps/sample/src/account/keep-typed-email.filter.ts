import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { SessionConfirmationRequiredException } from 'nestjs-idle-session';
import { CONFIRM_URL } from '../auth/confirm-page.js';
import { saveSession } from '../sessions/session-calls.js';
import { type EmailForm, readEmail } from './email-form.js';

const MAXIMUM_LENGTH = 1000;

declare module 'express-session' {
  interface SessionData {
    /** What the person typed, until they have confirmed and see the form again. */
    typedEmail?: string;
  }
}

/**
 * A form that came too late leads to the confirm page as the library would, but first what was typed is put into the
 * session, which keeps its data when it is confirmed. Not into the address: that is in logs and in the history.
 */
@Catch(SessionConfirmationRequiredException)
export class KeepTypedEmailFilter implements ExceptionFilter {
  async catch({ reason }: SessionConfirmationRequiredException, host: ArgumentsHost) {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    // A stranger, too, is refused as one whose proof is old. What they typed is not kept.
    if (request.session?.user) {
      request.session.typedEmail = readEmail(request.body as EmailForm | undefined).slice(
        0,
        MAXIMUM_LENGTH,
      );
      await saveSession(request);
    }
    const query = new URLSearchParams({ reason, returnTo: request.originalUrl });
    http.getResponse<Response>().redirect(303, `${CONFIRM_URL}?${query}`);
  }
}

/** What was typed before the person confirmed, once. */
export function takeTypedEmail({ session }: Request): string | undefined {
  const { typedEmail } = session;
  delete session.typedEmail;
  return typedEmail;
}
