import { Controller, HttpCode, Post, Req, type INestApplication } from '@nestjs/common';
import { RedisStore } from 'connect-redis';
import type { Request } from 'express';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import supertest from 'supertest';
import { answered } from './answered.js';
import { cookiesOf } from './cookies.js';
import { Gate } from './gate.js';
import { patient } from './patient.js';
import { RecordingLogger, type LogLine } from './recording-logger.js';
import type { RedisClient, RedisServer } from './redis-server.js';
import { createTestApp, type TestApp, type TestAppOptions } from './test-app.js';

export interface RedisAppOptions extends TestAppOptions {
  /** Keeps the activity; default: the server that keeps the sessions. */
  activity?: RedisServer;
  store?: (client: ConstructorParameters<typeof RedisStore>[0]['client']) => RedisStore;
  /** Default: one that goes by nothing but what Redis says, since these tests act behind its back. */
  storage?: (client: RedisClient) => RedisActivityStorage;
}

export interface RedisApp extends Pick<TestApp, 'app' | 'events'> {
  /** What the app logged since it was ready. */
  readonly log: LogLine[];
  /** A request without cookies. */
  ask: ReturnType<typeof supertest>;
  /** Signs somebody in; the `Cookie` header that is theirs from now on. */
  signIn(cookie?: string): Promise<string>;
  close(): Promise<void>;
}

/** For tests that want nothing in the log: one whose sweeps wait for a busy machine. */
export const patientStorage = (client: RedisClient) =>
  patient(new RedisActivityStorage(client, { syncInterval: 0 }));

/** An app with its sessions and their activity on a redis-server, listening. */
export async function createRedisApp(
  server: RedisServer,
  {
    activity = server,
    store = (client) => new RedisStore({ client }),
    storage = (client) => new RedisActivityStorage(client, { syncInterval: 0 }),
    options = {},
    metadata = {},
    configure,
  }: RedisAppOptions = {},
): Promise<RedisApp> {
  const logger = new RecordingLogger();
  const { app, events } = await createTestApp({
    // Redis goes by the real clock.
    sweeps: true,
    options: {
      // A busy machine may take longer than the default. A test about answers in time gives its own.
      storageTimeout: '20s',
      ...options,
      storage: storage(await activity.client()),
      session: { ...options.session, store: store(await server.client()) } as never,
    },
    metadata: { ...metadata, controllers: [SlowController, ...(metadata.controllers ?? [])] },
    configure(created: INestApplication) {
      created.useLogger(logger);
      configure?.(created);
    },
  });
  // Many requests at once would otherwise each open and close a port of their own.
  const listening = await app.listen(0, '127.0.0.1');
  logger.lines.length = 0;
  const ask = supertest(listening);
  return {
    app,
    events,
    log: logger.lines,
    ask,
    async signIn(cookie) {
      const response = await answered(() => {
        const request = ask.post('/sign-in');
        return cookie ? request.set('Cookie', cookie) : request;
      });
      if (response.status !== 200) throw new Error(`The sign-in was answered ${response.status}`);
      return cookiesOf(response);
    },
    close: () => app.close(),
  };
}

/** Handlers that take as long as the test says: each waits at the gate that the query names. */
@Controller('slow')
class SlowController {
  @Post('write')
  @HttpCode(200)
  async write(@Req() request: Request) {
    await Gate.of(request.query.gate).pass();
    request.session.note = 'written late';
    return {};
  }

  @Post('read')
  @HttpCode(200)
  async read(@Req() request: Request) {
    await Gate.of(request.query.gate).pass();
    return { user: request.session.user };
  }
}
