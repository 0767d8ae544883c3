import type { INestApplication } from '@nestjs/common';
import type { Request } from 'express';
import { IdleSessionStore } from 'nestjs-idle-session';
import { inChunks, sessionData, sessionId } from './sessions.js';

/** Signs so many people in to an app of ours, as requests of theirs would, but without HTTP. */
export async function signIn(app: INestApplication, sessions: number): Promise<void> {
  const store = app.get(IdleSessionStore, { strict: false });
  await inChunks(
    sessions,
    (index) =>
      new Promise<void>((resolve, reject) => {
        const session = store.createSession(requestOf(store, index), sessionData());
        store.set(sessionId(index), session, (error) =>
          error ? reject(error as Error) : resolve(),
        );
      }),
  );
}

/** Looks each of them up, as the first request in this process would. */
export async function lookUp(app: INestApplication, sessions: number): Promise<void> {
  const store = app.get(IdleSessionStore, { strict: false });
  await inChunks(
    sessions,
    (index) =>
      new Promise<void>((resolve, reject) => {
        store.get(sessionId(index), (error, data) => {
          if (data) resolve();
          else reject(new Error('a session is lost', { cause: error }));
        });
      }),
  );
}

/** What the store wants to know of a request. */
function requestOf(store: IdleSessionStore, index: number): Request {
  const request = { sessionID: sessionId(index), sessionStore: store, headers: {} };
  return request as unknown as Request;
}
