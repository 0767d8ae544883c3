import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { SessionData, Store } from 'express-session';
import { IdleSessionService } from 'nestjs-idle-session';
import { inChunks, sessionData, sessionId } from './sessions.js';

/** express-session puts that on its store, for requests without a session. */
type NewSessionStore = Store & { generate(request: Request): void };

/**
 * Signs so many people in to an app of ours, as requests of theirs would, but without HTTP.
 * @param from the number of the first session
 * @param more what their sessions have besides
 */
export async function signIn(
  app: INestApplication,
  sessions: number,
  from = 0,
  more: () => Partial<SessionData> = () => ({}),
): Promise<void> {
  const store = await sessionStoreOf(app);
  const signInOne = (index: number) =>
    new Promise<void>((resolve, reject) => {
      const request = requestOf(store);
      store.generate(request);
      request.sessionID = sessionId(index);
      const { user } = sessionData();
      const session = Object.assign(request.session, { user }, more());
      store.set(request.sessionID, session, (error) =>
        error ? reject(error as Error) : resolve(),
      );
    });
  await inChunks(sessions, (index) => signInOne(from + index));
}

/** Looks each of them up, as the first request in this process would. */
export async function lookUp(app: INestApplication, sessions: number): Promise<void> {
  const store = await sessionStoreOf(app);
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

/** The store that express-session sees: the middleware puts it on every request. */
async function sessionStoreOf(app: INestApplication): Promise<NewSessionStore> {
  const message = Object.assign(new IncomingMessage(new Socket()), { url: '/', method: 'GET' });
  const request = message as Request;
  const response = new ServerResponse(message) as Response;
  const middleware = app.get(IdleSessionService).middleware();
  await new Promise<void>((resolve, reject) => {
    middleware(request, response, (error) => (error ? reject(error as Error) : resolve()));
  });
  return request.sessionStore as NewSessionStore;
}

/** What the store wants to know of a request. */
function requestOf(sessionStore: NewSessionStore): Request {
  return { sessionStore, headers: {} } as unknown as Request;
}
