import { Inject, Injectable, UnauthorizedException } from '@nestjs/common';
import type { Request } from 'express';
import type { SessionData } from 'express-session';
import type { ActivityReading } from '../activity/activity-storage.js';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { logMissing } from './end-log.js';
import {
  SessionExpiredException,
  SessionLockedException,
  StorageUnavailableException,
} from './idle-session.exceptions.js';
import { AttachedSocket } from './open/attached-socket.js';
import { newSessionId } from './new-session-id.js';
import { refuseUnchecked } from './refuse-unchecked.js';
import type { RequestSession } from './request-session.js';
import { receivedRequest, RequestSessions } from './request-sessions.js';
import { SessionActivity } from './session-activity.js';
import { SessionEnding } from './session-ending.js';
import { SessionEvents } from './session-events.js';
import { SessionRegistration } from './session-registration.js';
import { sessionRef } from './session-ref.js';
import { SessionStart } from './session-start.js';
import { IdleSessionStore } from './session-store.js';
import { SessionWriter } from './session-writer.js';
import { underNewRef } from './stored-session.js';
import { UserStore } from './user-store.js';
import { withholdSession } from './withheld-session.js';

const NO_COOKIE =
  'IdleSessionService.confirm() has no answer to send the new session cookie with: call it for an HTTP request, before its answer begins.';

/** The session under its new id, before the old one has ended. */
interface Successor {
  readonly sessionId: string;
  readonly ref: string;
  readonly data: SessionData;
  readonly reading: ActivityReading;
  /** What `ownerOf` says. */
  readonly owner: string | undefined;
  /** Once the old id has ended. */
  readonly holdLimit: () => Promise<void>;
}

/**
 * Gives a session a new id once the person has proved again who they are. The new session is written before the old one
 * ends, and nobody knows its id until then: if a step fails, the old session is as it was.
 */
@Injectable()
export class SessionConfirmation {
  constructor(
    private readonly requestSessions: RequestSessions,
    private readonly activity: SessionActivity,
    private readonly starting: SessionStart,
    private readonly writer: SessionWriter,
    private readonly ending: SessionEnding,
    private readonly userStore: UserStore,
    private readonly store: IdleSessionStore,
    private readonly events: SessionEvents,
    private readonly registration: SessionRegistration,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * @returns whether the request goes on under the new id; false if another request confirmed the session first
   * @throws {SessionExpiredException} if the session has ended
   * @throws {SessionLockedException} if the session is locked: it is to be unlocked first
   * @throws {StorageUnavailableException} if the storage or the session store took none of it
   * @throws {UnauthorizedException} without a session that is under the idle timeout
   */
  async confirm(given: Request): Promise<boolean> {
    // What is put on a wrapped one, express-session does not see: the browser would be left with the old id.
    const request = receivedRequest(given);
    if (!canSetCookie(request)) throw new Error(NO_COOKIE);
    const session = this.requestSessions.of(request);
    await session.checkAgain();
    refuseUnchecked(session);
    const { ref, record } = session;
    if (ref === undefined || !record) throw new UnauthorizedException('There is no session.');
    if (record.ended !== undefined) return this.lose(request, session);
    const { state, unlockUrl } = session.status();
    if (state === 'locked') throw new SessionLockedException(unlockUrl);
    // `appliesTo` said no: whether the session is locked was not asked.
    if (state === 'none') throw new UnauthorizedException('There is no session.');
    const before = request.sessionID;
    if ((await this.userStore.get(before)) == null) return this.revoke(request, session, ref);
    const successor = await this.start(request, ref);
    try {
      const { sessionId, data, reading } = successor;
      const { idleTimeoutMs } = reading.record!;
      await this.writer.write(sessionId, successor.ref, data, idleTimeoutMs);
      const origin = { cause: 'request', request } as const;
      const end = await this.activity.end(ref, 'confirmed', origin);
      if (!end.won) {
        await this.discard(successor);
        // The handler called twice at once: the other call won, and the request goes on.
        if (session.ref !== ref) return true;
        session.adopt({ ref, reading: end });
        return this.lose(request, session);
      }
    } catch (error) {
      await this.discard(successor);
      throw error;
    }
    this.events.started(successor.ref, successor.reading, successor.owner, ref);
    this.continueAs(request, session, successor);
    // The person is confirmed all the same.
    await successor.holdLimit().catch(() => {});
    // Its record has ended: no request gets what is left here.
    await this.userStore.destroy(before).catch(() => {});
    return true;
  }

  /** Another party deleted the session from the store: as a save does, a confirm brings it back under no id. */
  private async revoke(request: Request, session: RequestSession, ref: string): Promise<never> {
    logMissing('data', ref);
    const origin = { cause: 'store', request } as const;
    await this.ending.end(request.sessionID, 'revoked', origin, session.reading);
    withholdSession(request);
    throw new SessionExpiredException('revoked', this.options.loginUrl);
  }

  private async start(request: Request, before: string): Promise<Successor> {
    const sessionId = newSessionId(request, this.options.session);
    const ref = sessionRef(sessionId);
    let hasStarted = false;
    let holdLimit = async () => {};
    let owner: string | undefined;
    const reading = await this.starting.start(ref, sessionId, request, {
      beforeStart: async (session, known) => {
        holdLimit = await this.registration.registerSuccessor(ref, session, known, request, before);
      },
      onStarted: (_, known) => {
        hasStarted = true;
        owner = known;
      },
    });
    // It is another session's by the app's `genid`; or all of the person's are being ended, or the storage took too long.
    if (!hasStarted || reading.record?.ended !== undefined)
      throw new StorageUnavailableException(new Error('The new session could not begin'));
    const data = underNewRef(request.session, before, ref);
    return { sessionId, ref, data, reading, owner, holdLimit };
  }

  private continueAs(
    request: Request,
    session: RequestSession,
    { sessionId, ref, data, reading }: Successor,
  ): void {
    request.sessionID = sessionId;
    this.store.createSession(request, data);
    session.adopt({ ref, reading, stored: true }, request.session.cookie);
    request.idleSession = session.status();
  }

  /** The session is over, or goes on under an id that another request has. This one must not send the old cookie. */
  private lose(request: Request, session: RequestSession): false {
    const { reason, loginUrl } = session.status();
    withholdSession(request);
    if (session.record?.ended === 'confirmed') return false;
    throw new SessionExpiredException(reason ?? 'lost', loginUrl);
  }

  /** Never rejects: what cannot be taken back idles out, and nobody has its id. */
  private async discard({ sessionId, ref, reading }: Successor): Promise<void> {
    const ended = this.activity.ask('end', (storage) => storage.end(ref, 'confirmed'));
    await ended
      .then(() => this.activity.told([{ key: ref, owner: reading.record?.owner ?? null }]))
      .catch(() => {});
    await this.userStore.destroy(sessionId).catch(() => {});
  }
}

/** Without the new id, the browser would be left with one that has ended. */
function canSetCookie(request: Request): boolean {
  return request.res?.headersSent === false && AttachedSocket.of(request) === undefined;
}
