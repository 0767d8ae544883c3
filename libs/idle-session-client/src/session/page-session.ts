import { createIdleSession } from './create-idle-session.js';
import type { IdleSessionOptions } from './idle-session-options.js';
import { STARTING } from './state.js';

type Session = ReturnType<typeof createIdleSession>;
type Stop = () => void;

/** What components do with the session. */
export interface SessionActions extends Pick<
  Session,
  'extend' | 'signOut' | 'check' | 'touch' | 'hold'
> {
  /**
   * Starts anew with the same components. A session that has ended does not come back: an app that lets the person sign
   * in again without loading the page calls it afterwards.
   */
  readonly restart: () => void;
}

/**
 * The one session of a page, which its components share. The first to subscribe starts it. It is destroyed once nobody
 * has used it for a moment: a component that takes the place of another, or that a tool mounts twice, finds it running.
 *
 * Before it starts, its state is `STARTING`, and its signal is the one of the session that will start.
 */
export interface PageSession
  extends SessionActions, Pick<Session, 'getState' | 'subscribe' | 'signal'> {
  /** To be called before the session starts; one that runs starts anew with these options. */
  readonly configure: (options: IdleSessionOptions) => void;
}

/** A subscriber, a hold, or an action that waits for the server. */
interface Use {
  readonly attach: (session: Session) => Stop;
  readonly listener?: () => void;
  stop: Stop;
}

/** The session, and what components do with it alone. */
export function createPageSession(create = createIdleSession): {
  readonly idleSession: PageSession;
  readonly actions: SessionActions;
} {
  const uses = new Set<Use>();
  let options: IdleSessionOptions = {};
  let session: Session | undefined;
  let ended = new AbortController();

  function running(): Session {
    if (session) return session;
    const started = (session = create(options));
    if (ended.signal.aborted) ended = new AbortController();
    // One that was destroyed never aborts its signal.
    started.signal.onabort = () => ended.abort(started.signal.reason);
    return started;
  }

  function destroy(): void {
    session?.destroy();
    session = undefined;
  }

  function use(attach: Use['attach'], listener?: () => void): Stop {
    const added: Use = { attach, listener, stop: attach(running()) };
    uses.add(added);
    return () => {
      if (!uses.delete(added)) return;
      added.stop();
      setTimeout(() => {
        if (uses.size === 0) destroy();
      });
    };
  }

  /** Until the server has answered, also if nobody else uses the session by then. */
  function ask(action: 'extend' | 'signOut'): Promise<boolean> {
    const leave = use(() => () => {});
    return running()[action]().finally(leave);
  }

  function restart(): void {
    if (!session) return;
    destroy();
    const attached = [...uses];
    for (const each of attached) each.stop = each.attach(running());
    for (const { listener } of attached) listener?.();
  }

  const actions: SessionActions = {
    extend: () => ask('extend'),
    signOut: () => ask('signOut'),
    check: () => session?.check(),
    touch: () => session?.touch(),
    hold: (reason) => use((shared) => shared.hold(reason)),
    restart,
  };
  const idleSession: PageSession = {
    ...actions,
    configure: (given) => {
      options = given;
      restart();
    },
    getState: () => session?.getState() ?? STARTING,
    subscribe: (listener) => use((shared) => shared.subscribe(listener), listener),
    get signal() {
      return ended.signal;
    },
  };
  return { idleSession, actions };
}

/** Those of the page, for the entry points of the frameworks. */
export const { idleSession, actions } = createPageSession();
