import type { EndReason, IdleSessionStatus } from 'idle-session-client/protocol';
import {
  ConflictException,
  HttpStatus,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';

/** The body of an answer of type `application/problem+json` (RFC 9457). */
interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** A sentence for the person. */
  readonly detail: string;
}

const DETAILS: Record<EndReason, string> = {
  idle: 'For your security, we signed you out because you were inactive.',
  absolute: 'For your security, we signed you out because you had been signed in for a long time.',
  'signed-out': 'You signed out.',
  revoked: 'You were signed out.',
  lost: 'We could not tell whether you were still there, so we signed you out. Please sign in again.',
};

/** The session ended: 401, with the reason. Its response is the whole problem body, so that any filter may send it. */
export class SessionExpiredException extends UnauthorizedException {
  /** What a GraphQL server says of the error; the code is Apollo's for a 401. */
  readonly extensions: { readonly code: string; reason: EndReason; loginUrl: string | null };

  constructor(
    readonly reason: EndReason,
    readonly loginUrl: string | null = null,
  ) {
    super({
      type: 'urn:nestjs-idle-session:session-expired',
      title: 'Signed out',
      status: HttpStatus.UNAUTHORIZED,
      detail: DETAILS[reason],
      reason,
      loginUrl,
    } satisfies Problem & { reason: EndReason; loginUrl: string | null });
    this.message = DETAILS[reason];
    this.extensions = { code: 'UNAUTHENTICATED', reason, loginUrl };
  }
}

const LOCKED_DETAIL = 'For your security, we locked this page because you were inactive.';

/**
 * The session lives, but its person did nothing for `lockAfter`, and has to unlock it: 401, with the reason `locked`. Its
 * response is the whole problem body, so that any filter may send it.
 */
export class SessionLockedException extends UnauthorizedException {
  readonly reason = 'locked';

  /** What a GraphQL server says of the error; the code is Apollo's for a 401. */
  readonly extensions: object;

  constructor(readonly unlockUrl: string | null = null) {
    const about = { reason: 'locked', unlockUrl };
    super({
      type: 'urn:nestjs-idle-session:session-locked',
      title: 'Locked',
      status: HttpStatus.UNAUTHORIZED,
      detail: LOCKED_DETAIL,
      ...about,
    } satisfies Problem & typeof about);
    this.message = LOCKED_DETAIL;
    this.extensions = { code: 'UNAUTHENTICATED', ...about };
  }
}

/** With what a request of a session that stands so is refused; undefined if it is not. */
export function refusalOf({
  state,
  reason,
  loginUrl,
  unlockUrl,
}: IdleSessionStatus): SessionExpiredException | SessionLockedException | undefined {
  if (state === 'expired') return new SessionExpiredException(reason ?? 'lost', loginUrl);
  return state === 'locked' ? new SessionLockedException(unlockUrl) : undefined;
}

const CONFIRM_DETAIL = 'For your security, please confirm that it is you.';

/**
 * The session lives, but its route asks for a newer proof of who the person is: 401, with the reason `confirm`. Its response
 * is the whole problem body, so that any filter may send it.
 */
export class SessionConfirmationRequiredException extends UnauthorizedException {
  readonly reason = 'confirm';

  /** What a GraphQL server says of the error; the code is Apollo's for a 401. */
  readonly extensions: object;

  /** @param maxAgeMs how old the proof may be */
  constructor(
    readonly maxAgeMs: number,
    readonly confirmUrl: string | null = null,
  ) {
    const about = { reason: 'confirm', maxAgeMs, confirmUrl };
    super({
      type: 'urn:nestjs-idle-session:confirmation-required',
      title: 'Confirmation required',
      status: HttpStatus.UNAUTHORIZED,
      detail: CONFIRM_DETAIL,
      ...about,
    } satisfies Problem & typeof about);
    this.message = CONFIRM_DETAIL;
    this.extensions = { code: 'UNAUTHENTICATED', ...about };
  }
}

const TOO_MANY_DETAIL =
  'You are signed in on as many devices as you may be. Sign out on one of them, and try again.';

/**
 * The owner has as many sessions as `maxSessions` lets them have, and `onMaxSessions` is `'refuse'`: 409, since the
 * credentials are right, and the same sign-in succeeds once the person has ended another session.
 */
export class TooManySessionsException extends ConflictException {
  /** What a GraphQL server says of the error. */
  readonly extensions = { code: 'TOO_MANY_SESSIONS' };

  constructor(readonly maxSessions: number) {
    super({
      type: 'urn:nestjs-idle-session:too-many-sessions',
      title: 'Too many sessions',
      status: HttpStatus.CONFLICT,
      detail: TOO_MANY_DETAIL,
      reason: 'too-many-sessions',
      maxSessions,
    } satisfies Problem & { reason: string; maxSessions: number });
    this.message = TOO_MANY_DETAIL;
  }
}

const UNAVAILABLE_DETAIL =
  'We could not check whether you are signed in. Please try again in a moment.';

/** The storage or the session store did not answer in time: 503. Says nothing about the session. */
export class StorageUnavailableException extends ServiceUnavailableException {
  /** What a GraphQL server says of the error. */
  readonly extensions = { code: 'SERVICE_UNAVAILABLE' };

  constructor(cause: unknown) {
    super(
      {
        type: 'urn:nestjs-idle-session:storage-unavailable',
        title: 'Temporarily unavailable',
        status: HttpStatus.SERVICE_UNAVAILABLE,
        detail: UNAVAILABLE_DETAIL,
      } satisfies Problem,
      { cause },
    );
    this.message = UNAVAILABLE_DETAIL;
  }
}
