// One process of the app that the soak runs on: forked, and spoken with over IPC. Plain JavaScript on the built library,
// so the decorators are called by hand.
import {
  Controller,
  Get,
  HttpCode,
  Inject,
  Module,
  Post,
  Req,
  UnauthorizedException,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisStore } from 'connect-redis';
import {
  AllowLocked,
  IdleSessionModule,
  IdleSessionService,
  PassiveRoute,
  SkipIdleSession,
} from 'nestjs-idle-session';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { createClient } from 'redis';

/** @typedef {import('express').Request & { session: { user?: string } }} SoakRequest */

const { REDIS_URL, PORT, IDLE_TIMEOUT_MS, LOCK_AFTER_MS } = process.env;

class SoakController {
  /** @param {IdleSessionService} sessions */
  constructor(sessions) {
    this.sessions = sessions;
  }

  /** @param {SoakRequest} request */
  async signIn(request) {
    await settled((done) => request.session.regenerate(done));
    request.session.user = 'ada';
    await settled((done) => request.session.save(done));
    return { sessionRef: this.sessions.status(request).sessionRef };
  }

  /** @param {SoakRequest} request */
  me(request) {
    if (request.session?.user === undefined) throw new UnauthorizedException();
    return { state: 'active' };
  }

  /** @param {SoakRequest} request */
  async unlock(request) {
    if (!(await this.sessions.unlock(request))) throw new UnauthorizedException();
    return { state: 'active' };
  }

  /** @param {SoakRequest} request */
  poll(request) {
    return this.me(request);
  }
}
Controller()(SoakController);
Inject(IdleSessionService)(SoakController, undefined, 0);
route('signIn', Post('sign-in'), HttpCode(200), SkipIdleSession());
route('me', Get('me'));
route('unlock', Post('unlock'), HttpCode(200), AllowLocked());
route('poll', Get('poll'), PassiveRoute());

/**
 * @param {'signIn' | 'me' | 'unlock' | 'poll'} name
 * @param {MethodDecorator[]} decorators
 */
function route(name, ...decorators) {
  const handler = Object.getOwnPropertyDescriptor(SoakController.prototype, name) ?? {};
  for (const decorator of decorators) decorator(SoakController.prototype, name, handler);
  Req()(SoakController.prototype, name, 0);
}

/** @param {(done: (error?: unknown) => void) => void} run */
function settled(run) {
  return /** @type {Promise<void>} */ (
    new Promise((resolve, reject) => run((error) => (error ? reject(error) : resolve())))
  );
}

class SoakModule {}
Module({})(SoakModule);

const client = createClient({
  url: REDIS_URL,
  disableOfflineQueue: true,
  socket: { reconnectStrategy: () => 50 },
}).on('error', () => {});
// Redis may be away just now.
client.connect().catch(() => {});

const app = await NestFactory.create(
  {
    module: SoakModule,
    imports: [
      IdleSessionModule.forRoot({
        idleTimeout: Number(IDLE_TIMEOUT_MS),
        lockAfter: Number(LOCK_AFTER_MS),
        warnBefore: false,
        session: { secret: 'the same secret in every process', store: new RedisStore({ client }) },
        storage: new RedisActivityStorage(client),
      }),
    ],
    controllers: [SoakController],
  },
  { logger: false },
);
const tell = (/** @type {unknown} */ message) => process.send?.(message);
app.get(IdleSessionService).events.subscribe(({ type, sessionRef }) => {
  if (type !== 'started' && type !== 'unlocked') tell({ ended: sessionRef });
});
process.on('message', (message) => {
  if (message === 'ping') return tell({ answers: true });
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  tell({ memory: { rss, heapUsed } });
});
const server = await app.listen(Number(PORT), '127.0.0.1');
// A connection breaks only because its process was killed, not because nobody used it for a while.
server.keepAliveTimeout = server.headersTimeout = server.requestTimeout = 0;
tell({ port: server.address().port });
