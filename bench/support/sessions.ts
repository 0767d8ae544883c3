import { createHmac } from 'node:crypto';
import type { SessionData, Store } from 'express-session';
import type { NewSession } from 'nestjs-idle-session';

declare module 'express-session' {
  interface SessionData {
    user?: string;
    note?: string;
    lastSeen?: number;
    idleTimeoutMs?: number;
  }
}

export const SECRET = 'the same secret in every process of the bench';
export const COOKIE_NAME = 'app-sid';

/** The sessions of the bench are numbered, so that every process knows them all. */
export function sessionId(index: number): string {
  return `bench-session-${String(index).padStart(18, '0')}`;
}

/** As long as the key that a storage gets for a session. */
export function keyOf(index: number): string {
  return `key-${String(index).padStart(18, '0')}`;
}

/** What a storage is told of a session that only its idle timeout ends. */
export function newSession(index: number, idleTimeoutMs: number): NewSession {
  return {
    sessionId: sessionId(index),
    idleTimeoutMs,
    absoluteTimeoutMs: null,
    lockAfterMs: null,
    owner: null,
  };
}

/** The `Cookie` header of a session, signed as express-session does. */
export function cookieOf(index: number): string {
  const id = sessionId(index);
  const signature = createHmac('sha256', SECRET).update(id).digest('base64').replace(/=+$/, '');
  return `${COOKIE_NAME}=${encodeURIComponent(`s:${id}.${signature}`)}`;
}

/** What a small app keeps of a person who is signed in. */
export function sessionData(): SessionData {
  const cookie = { originalMaxAge: null, expires: null, httpOnly: true, path: '/' };
  return { cookie: cookie as unknown as SessionData['cookie'], user: 'ada' };
}

/** Signs so many people in, past the app. */
export async function fill(store: Store, sessions: number): Promise<void> {
  await inChunks(
    sessions,
    (index) =>
      new Promise<void>((resolve, reject) => {
        store.set(sessionId(index), sessionData(), (error: unknown) =>
          error ? reject(error as Error) : resolve(),
        );
      }),
  );
}

/** Does it for 0 to count - 1, so many at a time. */
export async function inChunks(
  count: number,
  work: (index: number) => Promise<unknown>,
  size = 200,
): Promise<void> {
  for (let done = 0; done < count; done += size) {
    const length = Math.min(size, count - done);
    await Promise.all(Array.from({ length }, (_, index) => work(done + index)));
  }
}
