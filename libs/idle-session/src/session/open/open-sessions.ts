import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { EndReason } from 'idle-session-client/protocol';
import { LRUCache } from 'lru-cache';
import { goesOn, type ActivityReading, type RecordedEnd } from '../../activity/activity-storage.js';
import { RESOLVED_OPTIONS } from '../../options/module-definition.js';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import { describeError } from '../../utils/describe-error.js';
import { ExpiredSessionSweeper } from '../expired-session.sweeper.js';
import type { GuardedSession } from '../found-session.js';
import { SessionActivity } from '../session-activity.js';
import { SessionEvents } from '../session-events.js';
import { EndWatch } from './end-watch.js';

/**
 * Why what is open for a session closes: the reason of the end, or that it may be opened again. `locked`: once the person
 * has unlocked the session. `replaced`: the session goes on under another id. `unavailable`: the storage does not say whether
 * it goes on, or knows nothing of it.
 */
export type Closing = EndReason | 'locked' | 'replaced' | 'unavailable';

type OnClose = (closing: Closing) => void;

/** How many of the ends that this process knows of it remembers. */
const ENDS_REMEMBERED = 1000;

/** Whether the session is over, and told so. */
export function isEnd(closing: Closing): closing is EndReason {
  return closing !== 'locked' && closing !== 'replaced' && closing !== 'unavailable';
}

/**
 * What this process holds open for sessions: streams and sockets. It closes them when their session is locked, and hears of
 * each end that any process decides, no later than `syncInterval` and a second; with a `subscriber` within milliseconds.
 *
 * A storage that is away ends nothing: what is open stays open until the deadline that the storage told while something was
 * open for the session. After that it closes as `unavailable`, as a request is answered 503; with `onStorageError: 'allow'`
 * it stays open until the storage is back.
 */
@Injectable()
export class OpenSessions implements OnApplicationShutdown {
  private readonly held = new Map<string, Set<OnClose>>();
  private readonly endWatch: EndWatch;
  /** The latest ends that this process knows of, also those that the storage did not take yet. */
  private readonly ends = new LRUCache<string, RecordedEnd>({ max: ENDS_REMEMBERED });
  private readonly logger = new Logger('IdleSessionModule');
  private isClosing = false;

  constructor(
    private readonly activity: SessionActivity,
    private readonly events: SessionEvents,
    sweeper: ExpiredSessionSweeper,
    @Inject(RESOLVED_OPTIONS) { storage, onStorageError }: ResolvedOptions,
  ) {
    this.endWatch = new EndWatch(activity, sweeper, storage, {
      onEnded: (ref, reading) => this.learn(ref, reading),
      onLocked: (ref) => this.close(ref, 'locked'),
      onUnclear: (ref) => {
        if (onStorageError === 'reject') this.close(ref, 'unavailable');
      },
      onUnrecorded: (ref) => this.close(ref, 'unavailable'),
    });
    events.ends.subscribe(({ sessionRef, reason }) => {
      this.ends.set(sessionRef, reason);
      this.end(sessionRef, reason);
    });
  }

  /** How many streams and sockets are held. */
  get count(): number {
    let count = 0;
    for (const holders of this.held.values()) count += holders.size;
    return count;
  }

  /**
   * Calls back once any process has ended the session, or it is unclear; if one did before this call, then soon after it.
   * @param session if it has a record and loses it, it is ended as lost. If it is not known to have one, and the storage says
   * that there is none, then what is open closes as `unavailable`: a request that opens it again starts the record
   * @returns to be called when nothing is open any more
   */
  hold({ ref: sessionRef, hasRecord }: GuardedSession, onClose: OnClose): () => void {
    if (this.isClosing) return () => {};
    const holders = this.held.get(sessionRef) ?? new Set();
    // An object of its own, so that one function may be given twice.
    const holder: OnClose = (closing) => onClose(closing);
    holders.add(holder);
    this.held.set(sessionRef, holders);
    this.endWatch.add(sessionRef, hasRecord);
    // The storage may be away, or not know of the end. Later, since the caller has nothing to release yet.
    const ended = this.ends.get(sessionRef);
    if (ended) queueMicrotask(() => this.end(sessionRef, ended));
    return () => {
      holders.delete(holder);
      if (holders.size > 0 || this.held.get(sessionRef) !== holders) return;
      this.held.delete(sessionRef);
      this.endWatch.delete(sessionRef);
    };
  }

  /** Not before the server has closed, which waits for what is open. */
  onApplicationShutdown(): void {
    this.isClosing = true;
    this.held.clear();
    this.endWatch.clear();
  }

  /** Another process ended the session. */
  private learn(sessionRef: string, reading: ActivityReading): void {
    this.end(sessionRef, reading.record!.ended!);
    void this.emitLearned(sessionRef, reading);
  }

  /** It may have been this process itself, and its own event is on its way. */
  private async emitLearned(sessionRef: string, reading: ActivityReading): Promise<void> {
    await this.activity.decided();
    if (!this.ends.has(sessionRef)) this.events.learned(sessionRef, reading);
  }

  private end(sessionRef: string, recorded: RecordedEnd): void {
    this.close(sessionRef, goesOn(recorded) ? 'replaced' : recorded);
  }

  private close(sessionRef: string, closing: Closing): void {
    const holders = this.held.get(sessionRef);
    if (!holders) return;
    this.held.delete(sessionRef);
    this.endWatch.delete(sessionRef);
    for (const onClose of holders) this.call(onClose, closing);
  }

  /** One that fails does not keep the others open. */
  private call(onClose: OnClose, closing: Closing): void {
    try {
      onClose(closing);
    } catch (error) {
      this.logger.error(
        `What was open for an ended session could not be closed: ${describeError(error)}`,
      );
    }
  }
}
