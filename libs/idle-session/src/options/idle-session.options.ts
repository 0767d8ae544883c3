import type { Request } from 'express';
import type { CookieOptions, SessionOptions } from 'express-session';
import type { ActivityStorage } from '../activity/activity-storage.js';
import type { SessionDescription } from '../activity/owner-index.js';
import type { Duration } from '../utils/duration.js';
import type { IdleSessionPreset } from './presets.js';

/** Options of {@link IdleSessionModule.forRoot}. Checked once, at start; a wrong or unknown one stops the start. */
export interface IdleSessionModuleOptions {
  /**
   * How long a session lives without activity; default `'15m'`. A function decides for each request, per role or
   * tenant say; what it returned last is what holds.
   *
   * OWASP: 2 to 5 min for high value, 15 to 30 min for low risk. NIST SP 800-63B-4: at most 1 h at AAL2, 15 min at
   * AAL3. PCI DSS 4, 8.2.8: 15 min.
   */
  readonly idleTimeout?: Duration | ((request: Request) => Duration | Promise<Duration>);

  /**
   * How long a session lives at most, counted from sign-in (a regenerated session id); false: without limit. A function
   * decides once, when the session starts: per role or tenant say. A session keeps the limit that it started with. Default
   * `'12h'`. NIST SP 800-63B-4: at most 24 h at AAL2, 12 h at AAL3.
   */
  readonly absoluteTimeout?:
    Duration | false | ((request: Request) => Duration | false | Promise<Duration | false>);

  /**
   * How long a session stays open without activity; then it is locked until the person unlocks it or it ends: less than
   * `idleTimeout`; false: it is never locked. A function decides once, when the session starts; a time that is no shorter than
   * the session's idle timeout locks never. Default false. Needs a storage with `unlock`.
   */
  readonly lockAfter?:
    Duration | false | ((request: Request) => Duration | false | Promise<Duration | false>);

  /**
   * How long before its end a session's state is `warning`; less than `idleTimeout`; false: never. Default: a third of
   * the session's idle timeout, but at most `'2m'`, and at least `'20s'` where the idle timeout is longer than that.
   * Under 20 s is logged: WCAG 2.2, 2.2.1 asks for at least 20 s to answer.
   */
  readonly warnBefore?: Duration | false;

  /**
   * Holds the limits of a standard: sets what is left out, and refuses what is looser than a clause allows. Default: none.
   * docs/compliance.md has each clause, and what stays the app's.
   */
  readonly preset?: IdleSessionPreset;

  /** Options of express-session, which the module mounts with safe defaults; `secret` is required. */
  readonly session: IdleSessionSessionOptions;

  /**
   * Where activity is kept; default `new MemoryActivityStorage()`, which is for one process. Required where
   * `session.store` is shared by several.
   */
  readonly storage?: ActivityStorage;

  /**
   * Where a page navigation is sent when its session ended, with `reason` and `returnTo` in the query: a path or a
   * URL. Left out: it gets the 401, as a script does.
   */
  readonly loginUrl?: string;

  /**
   * Where a page navigation is sent when its route has `@FreshSession()` and the person's proof is older, with `reason` and
   * `returnTo` in the query: a path or a URL. Left out: it gets the 401, as a script does.
   */
  readonly confirmUrl?: string;

  /**
   * Where a page navigation is sent when its session is locked, with `reason` and `returnTo` in the query: a path or a URL.
   * Left out: it gets the 401, as a script does.
   */
  readonly unlockUrl?: string;

  /**
   * Exact origins of pages, beside the app's own, that use the app with its session cookie: `['https://app.example.com']`
   * for an app on `https://api.example.com`. Their requests count as those of the app's own pages, and they may read what
   * the endpoints answer (CORS). They have to be of the app's own site. Default: none. docs/recipes/sibling-origin.md.
   */
  readonly origins?: readonly string[];

  /**
   * Whether the module guards a stored session; default: every one. `request.session` is set when the module
   * asks. Before the handshake of a socket no middleware of `main.ts` has run. The module guards such a session until it ends:
   * saying no later only leaves requests unchecked.
   */
  readonly appliesTo?: (request: Request) => boolean;

  /**
   * Who the session belongs to, for the draft key and for the list of a person's sessions; default: nobody is known, and
   * there is neither. Only a string that is not empty is an owner. Asked when the session starts: call
   * `request.session.regenerate()` at sign-in.
   */
  readonly ownerOf?: (request: Request) => string | null | undefined;

  /**
   * What is kept of a session for the list of its owner's sessions, such as the name of the browser; asked when the session
   * starts. At most 1024 bytes as JSON. Default: nothing.
   */
  readonly describe?: (request: Request) => SessionDescription;

  /**
   * How many sessions an owner may have at the same time; default: any number. Needs `ownerOf`. A function decides at each
   * sign-in. Sessions without an owner do not count.
   */
  readonly maxSessions?: number | ((request: Request) => number | Promise<number>);

  /**
   * What happens to a sign-in beyond `maxSessions`: `'end-oldest'`: the session that started first ends as `revoked`;
   * `'refuse'`: the sign-in fails with a {@link TooManySessionsException}. Default `'end-oldest'`.
   */
  readonly onMaxSessions?: 'end-oldest' | 'refuse';

  /**
   * Whether there are endpoints with which a person sees their own sessions and ends them: `GET …/sessions`,
   * `DELETE …/sessions/:ref` and `DELETE …/sessions`. Needs `ownerOf`, and a `path`. Default false.
   */
  readonly sessionsEndpoint?: boolean;

  /**
   * What happens while the storage does not answer: `'reject'`: 503 with Retry-After; `'allow'`: the session goes
   * unchecked. Default `'reject'`. Without the session store itself it is 503 in either case. Streams and sockets stay
   * open until the deadline that is known; past it, `'reject'` closes them so that they may come back, `'allow'` does not.
   */
  readonly onStorageError?: 'reject' | 'allow';

  /**
   * After about what time the module answers a request with 503 when the storage or the session store does not answer; default `'1s'`.
   * They have nine tenths of it.
   */
  readonly storageTimeout?: Duration;
}

/** Options that are given where the module is imported: with `forRootAsync()` beside the factory, which does not return them. */
export interface IdleSessionModuleExtras {
  /** Path of the endpoints, under the global prefix; false: none are mounted. Default `'idle-session'`. */
  readonly path?: string | false;
}

/** Options of express-session 1.19, with defaults of our own where the user sets nothing. */
export interface IdleSessionSessionOptions extends Partial<
  Omit<SessionOptions, 'cookie' | 'secret'>
> {
  /** Signs the session id; at least 16 characters. Of several, the first signs and all verify. */
  readonly secret: string | Buffer | (string | Buffer)[];

  /** Default `{ path: '/', httpOnly: true, sameSite: 'lax', secure: 'auto' }`, and a cookie that ends with the browser. */
  readonly cookie?: CookieOptions;

  /**
   * Says that the session cookie is meant to outlive the browser. true: each one, by `cookie.maxAge`. `'per-session'`: those
   * whose `request.session.cookie.maxAge` the app sets. Both take `rolling: true`. Default false.
   */
  readonly persistentCookie?: boolean | 'per-session';
}

/** Implemented by what `forRootAsync({ useClass | useExisting })` names. */
export interface IdleSessionOptionsFactory {
  createIdleSessionOptions(): IdleSessionModuleOptions | Promise<IdleSessionModuleOptions>;
}
