import expressSession, {
  type CookieOptions,
  type SessionOptions,
  type Store,
} from 'express-session';
import { IdleSessionOptionsError, valueOf } from '../utils/option-error.js';
import type { IdleSessionSessionOptions } from './idle-session.options.js';
import { SESSION_RULES } from './option-rules.js';
import { checkedFunction } from './user-functions.js';

/** The options of express-session, complete. */
export interface ResolvedSession {
  readonly session: SessionOptions & { name: string; cookie: CookieOptions; store: Store };
  /** Sessions may have a cookie with a date, which moves. */
  readonly mayPersist: boolean;
  /** What verifies; the first signs. Draft keys and owners' hashes are derived from them. */
  readonly secrets: readonly [string | Buffer, ...(string | Buffer)[]];
}

/** Fills in the defaults. @throws {IdleSessionOptionsError} for a cookie that would not end when it has to, or that browsers drop */
export function resolveSession(session: IdleSessionSessionOptions): ResolvedSession {
  const { persistentCookie = false, cookie = {}, ...rest } = session;
  for (const name of ['maxAge', 'expires'] as const) {
    if (persistentCookie === true || cookie[name] == null) continue;
    throw new IdleSessionOptionsError(
      `session.cookie.${name}`,
      cookie[name],
      persistentCookie
        ? "nothing beside session.persistentCookie: 'per-session': set request.session.cookie.maxAge for those who are to be remembered"
        : 'nothing, so that the session ends with the browser, unless session.persistentCookie is true',
      valueOf(cookie[name]),
    );
  }
  if (persistentCookie === 'per-session') checkPersistentSessions(session);
  else if (persistentCookie) checkPersistentCookie(session);
  const name = rest.name ?? defaultNameFor(cookie);
  checkBrowsersTake(name, cookie);
  const secrets = [session.secret].flat() as [string | Buffer, ...(string | Buffer)[]];
  return {
    secrets,
    mayPersist: persistentCookie !== false && rest.rolling === true,
    session: {
      resave: false,
      saveUninitialized: false,
      ...given(rest),
      ...(rest.genid && { genid: resolveGenid(rest.genid) }),
      secret: session.secret,
      name,
      cookie: { path: '/', httpOnly: true, sameSite: 'lax', secure: 'auto', ...given(cookie) },
      store: rest.store ?? new expressSession.MemoryStore(),
    },
  };
}

function resolveGenid(
  genid: NonNullable<IdleSessionSessionOptions['genid']>,
): NonNullable<IdleSessionSessionOptions['genid']> {
  const { takes } = SESSION_RULES.genid!;
  return checkedFunction(
    'session.genid',
    takes,
    genid,
    (value): value is string => typeof value === 'string' && value !== '',
  );
}

/** A browser drops a cookie at its date, also that of a person who is active: so the date has to move. */
function checkPersistentCookie({ cookie = {}, rolling }: IdleSessionSessionOptions): void {
  if (cookie.expires != null) {
    throw new IdleSessionOptionsError(
      'session.cookie.expires',
      cookie.expires,
      'nothing: at a fixed date browsers drop the cookie of people who are active. Give session.cookie.maxAge and session.rolling: true',
    );
  }
  if (cookie.maxAge != null && rolling !== true) {
    throw new IdleSessionOptionsError(
      'session.rolling',
      rolling,
      'true beside session.cookie.maxAge, so that browsers do not drop the cookie of people who are active',
    );
  }
}

/** The date of those who have one has to move, too. */
function checkPersistentSessions({ rolling }: IdleSessionSessionOptions): void {
  if (rolling === true) return;
  throw new IdleSessionOptionsError(
    'session.rolling',
    rolling,
    "true beside session.persistentCookie: 'per-session', so that browsers do not drop the cookie of people who are active",
  );
}

/** A cookie that browsers drop signs nobody in, and no log says so (RFC 6265bis). */
function checkBrowsersTake(
  name: string,
  { secure, httpOnly, sameSite, partitioned, path = '/', domain }: CookieOptions,
): void {
  if (/^__Host-/i.test(name) && (path !== '/' || domain !== undefined)) {
    const takes =
      'a name without the prefix beside session.cookie.domain or another session.cookie.path than /: browsers drop such a cookie';
    throw new IdleSessionOptionsError('session.name', name, takes, valueOf(name));
  }
  if (/^__(Host-)?Http-/i.test(name) && httpOnly === false) {
    const takes = 'true beside such a session.name: browsers drop such a cookie without HttpOnly';
    throw new IdleSessionOptionsError('session.cookie.httpOnly', httpOnly, takes);
  }
  let secured: string | undefined;
  // 'auto', which the types do not know, is 'none' on a secure connection.
  if (/^(none|auto)$/.test(String(sameSite))) secured = `session.cookie.sameSite: '${sameSite}'`;
  else if (partitioned === true) secured = 'session.cookie.partitioned: true';
  else if (/^__(Host|Secure|Http)-/i.test(name)) secured = 'such a session.name';
  if (secure !== false || secured === undefined) return;
  const takes = `true or 'auto' beside ${secured}: browsers drop such a cookie without Secure`;
  throw new IdleSessionOptionsError('session.cookie.secure', secure, takes);
}

/** Names no product. With the prefix, browsers take the cookie from this very host only, and over HTTPS (RFC 6265bis). */
function defaultNameFor({ secure, path = '/', domain }: CookieOptions): string {
  const isOfHost = secure === true && path === '/' && domain === undefined;
  return isOfHost ? '__Host-app-sid' : 'app-sid';
}

/** Without what is undefined, which would hide a default. */
function given<T extends object>(options: T): Partial<T> {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<T>;
}
