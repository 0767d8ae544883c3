import { Inject, Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { RESOLVED_OPTIONS } from '../../options/module-definition.js';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import type { RequestSession } from '../request-session.js';
import {
  closeConnectionAfter,
  endEventStream,
  ignoreAnswer,
  isEventStream,
  limitLastBytes,
} from './ending-response.js';
import { isEnd, OpenSessions, type Closing } from './open-sessions.js';
import { isClosed, onceClosed } from './response-close.js';

/** Why a response is closed that has not begun. */
export type ClosingEarly = Exclude<Closing, 'replaced'>;

/** Answers a request whose session ended, is locked or is unclear, before its handler answered. */
type AnswerInstead = (closing: ClosingEarly) => Promise<void>;

/**
 * Ends responses that stay open when their session ends or is locked: streams of events, and those of marked routes. An answer to
 * which none of this applies costs nothing.
 */
@Injectable()
export class OpenResponses {
  private readonly held = new WeakSet<Response>();
  private readonly marked = new WeakMap<Response, AnswerInstead>();

  constructor(
    private readonly openSessions: OpenSessions,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * Ends a response with its session, also one that is no stream of events.
   * @param answer called if the session ends before the response has begun
   */
  mark(response: Response, session: RequestSession, answer: AnswerInstead): void {
    this.marked.set(response, answer);
    this.hold(response, session);
  }

  /** Called when a response begins. */
  onHeaders(response: Response, session: RequestSession): void {
    const isStream = isEventStream(response);
    if (isStream || this.marked.has(response)) this.hold(response, session);
    if (isStream && this.held.has(response)) closeConnectionAfter(response);
  }

  private hold(response: Response, session: RequestSession): void {
    const { guarded } = session;
    // A response whose client has left is closed already, and would never be released.
    if (!guarded || isClosed(response) || this.held.has(response)) return;
    const release = this.openSessions.hold(guarded, (closing) => {
      this.held.delete(response);
      this.end(response, session, closing);
    });
    this.held.add(response);
    onceClosed(response, release);
  }

  private end(response: Response, session: RequestSession, closing: Closing): void {
    if (!response.headersSent) return this.endBeforeHeaders(response, session, closing);
    limitLastBytes(response);
    if (response.writableEnded) return;
    if (isEventStream(response)) endEventStream(response, this.lastEvent(closing));
    // Its client must not take what came so far for the whole.
    else response.destroy();
  }

  private endBeforeHeaders(response: Response, session: RequestSession, closing: Closing): void {
    // The request goes on under the new id, or is found to have the old one once its response begins.
    if (closing === 'replaced') return;
    const answer = this.marked.get(response);
    this.marked.delete(response);
    // The answer to a sign-out is the handler's own.
    if (!answer || endsItself(response, session)) return;
    limitLastBytes(response);
    answer(closing).then(
      () => ignoreAnswer(response),
      () => response.destroy(),
    );
  }

  /** Undefined where the browser is to connect again. */
  private lastEvent(closing: Closing): string | undefined {
    const { loginUrl, unlockUrl } = this.options;
    if (closing === 'locked') return eventOf('session-locked', { reason: closing, unlockUrl });
    return isEnd(closing) ? eventOf('session-ended', { reason: closing, loginUrl }) : undefined;
  }
}

function eventOf(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Whether the end of the session is the request's own doing, such as a sign-out. */
function endsItself({ req: request }: Response, { isEnding, record }: RequestSession): boolean {
  // If it only found the end, the session was destroyed because of that.
  const isDestroyed = request.session == null && record?.ended === undefined;
  return isEnding || isDestroyed;
}
