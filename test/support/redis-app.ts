import {
  Controller,
  HttpCode,
  Post,
  Req,
  type INestApplication,
  type LoggerService,
} from '@nestjs/common';
import { RedisStore } from 'connect-redis';
import type { Request } from 'express';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import supertest from 'supertest';
import type { RedisServer } from './redis-server.js';
import { createTestApp, type TestApp, type TestAppOptions } from './test-app.js';

export interface RedisAppOptions extends TestAppOptions {
  /** Keeps the activity; default: the server that keeps the sessions. */
  activity?: RedisServer;
  store?: (client: ConstructorParameters<typeof RedisStore>[0]['client']) => RedisStore;
  /** Default: one that goes by nothing but what Redis says, since these tests act behind its back. */
  storage?: (client: ConstructorParameters<typeof RedisActivityStorage>[0]) => RedisActivityStorage;
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

export interface LogLine {
  readonly level: 'log' | 'warn' | 'error';
  readonly text: string;
}

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
  const log: LogLine[] = [];
  const { app, events } = await createTestApp({
    options: {
      ...options,
      storage: storage(await activity.client()),
      session: { ...options.session, store: store(await server.client()) } as never,
    },
    metadata: { ...metadata, controllers: [SlowController, ...(metadata.controllers ?? [])] },
    configure(created: INestApplication) {
      created.useLogger(new LogKeeper(log));
      configure?.(created);
    },
  });
  // Many requests at once would otherwise each open and close a port of their own.
  const listening = await app.listen(0, '127.0.0.1');
  log.length = 0;
  const ask = supertest(listening);
  return {
    app,
    events,
    log,
    ask,
    async signIn(cookie) {
      const request = ask.post('/sign-in');
      if (cookie) request.set('Cookie', cookie);
      return cookieOf(await request.expect(200));
    },
    close: () => app.close(),
  };
}

/** The `Cookie` header for the session that a response sets. */
export function cookieOf(response: supertest.Response): string {
  const [cookie = ''] = response.get('Set-Cookie') ?? [];
  return cookie.split(';')[0]!;
}

/** The id of the session that a `Cookie` header names. */
export function sessionIdOf(cookie: string): string {
  return /^\w+=s:(.+)\.[^.]+$/.exec(decodeURIComponent(cookie))![1]!;
}

/** A place where a request waits for the test. */
export class Gate {
  private static readonly named = new Map<string, Gate>();
  readonly name = String(Gate.named.size);
  readonly reached: Promise<void>;
  private readonly opened: Promise<void>;
  private reach!: () => void;
  /** Lets the request go on. */
  open!: () => void;

  constructor() {
    this.reached = new Promise((resolve) => (this.reach = resolve));
    this.opened = new Promise((resolve) => (this.open = resolve));
    Gate.named.set(this.name, this);
  }

  static of(name: unknown): Gate {
    return Gate.named.get(String(name))!;
  }

  /** Says that it is here, and waits. */
  async pass(): Promise<void> {
    this.reach();
    await this.opened;
  }
}

/** Handlers that take as long as the test says: each waits at the gate that the query names. */
@Controller('slow')
export class SlowController {
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

/** Keeps what is logged, in order. */
export class LogKeeper implements LoggerService {
  constructor(private readonly lines: LogLine[]) {}
  log = (...message: unknown[]) => this.keep('log', message);
  warn = (...message: unknown[]) => this.keep('warn', message);
  error = (...message: unknown[]) => this.keep('error', message);
  fatal = (...message: unknown[]) => this.keep('error', message);

  private keep(level: LogLine['level'], message: unknown[]): void {
    this.lines.push({ level, text: message.map(String).join(' ') });
  }
}
