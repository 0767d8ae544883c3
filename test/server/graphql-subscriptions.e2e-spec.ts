import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Injectable } from '@nestjs/common';
import { Context, GraphQLModule, Query, Resolver, Subscription } from '@nestjs/graphql';
import type { Request } from 'express';
import { createClient, type Client } from 'graphql-ws';
import {
  FreshSession,
  IdleSessionService,
  PassiveRoute,
  SkipIdleSession,
} from 'nestjs-idle-session';
import { Subject } from 'rxjs';
import WebSocket from 'ws';
import { PATIENCE_MS } from '../support/durations.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { REFUSED_HANDSHAKES } from '../support/refused-handshakes.js';
import { statusOf } from '../support/requests.js';
import { signIn } from '../support/socket-app.js';
import { hostOf, type Closed } from '../support/socket-client.js';
import { MINUTE, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';
import { until } from '../support/until.js';

interface Connection {
  readonly extra: { readonly socket: WebSocket; readonly request: Request };
}

@Injectable()
class News {
  readonly subject = new Subject<string>();

  async *read() {
    const waiting: string[] = [];
    let wake = () => {};
    const subscription = this.subject.subscribe((news) => {
      waiting.push(news);
      wake();
    });
    try {
      for (;;) {
        while (waiting.length > 0) yield { news: waiting.shift() };
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      subscription.unsubscribe();
    }
  }
}

@Resolver()
class ClaimsResolver {
  constructor(private readonly source: News) {}

  @Query(() => String, { nullable: true })
  note(@Context('req') request: Request) {
    return request.session.note;
  }

  @Query(() => Boolean)
  @PassiveRoute()
  poll() {
    return false;
  }

  @Query(() => Boolean)
  @FreshSession('5m')
  secret() {
    return true;
  }

  @Query(() => Boolean)
  @SkipIdleSession()
  up() {
    return true;
  }

  @Subscription(() => String)
  news() {
    return this.source.read();
  }
}

const startApp = testApps();
const clients: Client[] = [];
afterEach(() => clients.splice(0).forEach((client) => void client.dispose()));

/** @param attaches whether the app attaches the sockets, as it should */
async function start(options: TestAppOptions = {}, attaches = true) {
  const test = await startApp({
    ...options,
    metadata: {
      imports: [
        GraphQLModule.forRootAsync<ApolloDriverConfig>({
          driver: ApolloDriver,
          inject: [IdleSessionService],
          useFactory: (sessions: IdleSessionService) => ({
            autoSchemaFile: true,
            includeStacktraceInErrorResponses: false,
            context: ({ req, extra }: { req?: Request } & Partial<Connection>) => ({
              req: req ?? extra?.request,
            }),
            subscriptions: {
              'graphql-ws': {
                connectionInitWaitTimeout: PATIENCE_MS,
                ...(attaches && {
                  onConnect: (connection) => {
                    const { socket, request } = (connection as unknown as Connection).extra;
                    return sessions.attach(socket, request);
                  },
                }),
              },
            },
          }),
        }),
      ],
      providers: [ClaimsResolver, News],
    },
  });
  await test.app.listen(0, '127.0.0.1');
  return { ...test, news: test.app.get(News).subject };
}

interface Connected {
  /** The code and the reason with which the server closed the socket. */
  readonly closed: Promise<Closed>;
  /** What the operation answers, or its errors. */
  ask(query: string): Promise<unknown>;
  /** Everything that the operation answers until it is over. */
  follow(query: string): { readonly received: unknown[]; readonly over: Promise<unknown> };
}

function connect(test: TestApp, headers: Record<string, string>): Connected {
  class WithHeaders extends WebSocket {
    constructor(address: string, protocol: string) {
      super(address, protocol, { headers });
    }
  }
  const client = createClient({
    url: `ws://${hostOf(test)}/graphql`,
    webSocketImpl: WithHeaders,
    retryAttempts: 0,
    lazy: false,
    onNonLazyError: () => {},
  });
  clients.push(client);
  const follow = (query: string) => {
    const received: unknown[] = [];
    const over = new Promise((resolve) =>
      client.subscribe(
        { query },
        {
          next: ({ data, errors }) => received.push(errors ?? data),
          error: resolve,
          complete: () => resolve(undefined),
        },
      ),
    );
    return { received, over };
  };
  return {
    closed: new Promise((resolve) =>
      client.on('closed', (event) => {
        const { code, reason } = event as Closed;
        resolve({ code, reason });
      }),
    ),
    follow,
    async ask(query) {
      const { received, over } = follow(query);
      const error = await over;
      return received[0] ?? error;
    },
  };
}

describe('A socket of graphql-ws', () => {
  it.each(REFUSED_HANDSHAKES)('is refused %s', async (_, headersOf, reason) => {
    const test = await start();
    test.app.useLogger(false);
    const client = connect(test, await headersOf(test));
    expect(await client.closed).toEqual({ code: 1008, reason });
  });

  it('serves a subscription until the session ends', async () => {
    const test = await start();
    const { browser, Cookie } = await signIn(test);
    const client = connect(test, { Cookie });
    const { received } = client.follow('subscription { news }');
    await until('it is subscribed', () => test.news.observed);
    test.news.next('first');
    await until('the news arrives', () => received.length > 0);
    await browser.post('/idle-session/sign-out').expect(204);
    test.news.next('too late');
    expect(await client.closed).toEqual({ code: 1008, reason: 'signed-out' });
    expect(received).toEqual([{ news: 'first' }]);
  });

  it('counts operations as activity, unless they are passive, and news not at all', async () => {
    const test = await start();
    const { browser, Cookie } = await signIn(test);
    const client = connect(test, { Cookie });
    const { received } = client.follow('subscription { news }');
    await until('it is subscribed', () => test.news.observed);
    test.clock.advance(10 * MINUTE);
    test.news.next('first');
    await until('the news arrives', () => received.length > 0);
    expect(await client.ask('{ poll }')).toEqual({ poll: false });
    expect(await statusOf(browser)).toMatchObject({ expiresInMs: 5 * MINUTE });
    expect(await client.ask('{ note }')).toEqual({ note: null });
    expect(await statusOf(browser)).toMatchObject({ expiresInMs: 15 * MINUTE });
  });

  it('says of a proof that is too old that the person has to confirm, and stays open', async () => {
    const test = await start();
    const { Cookie } = await signIn(test);
    const client = connect(test, { Cookie });
    expect(await client.ask('{ secret }')).toEqual({ secret: true });
    test.clock.advance(6 * MINUTE);
    expect(JSON.stringify(await client.ask('{ secret }'))).toContain('"reason":"confirm"');
    expect(await client.ask('{ note }')).toEqual({ note: null });
  });

  it('reads the session anew for each operation', async () => {
    const test = await start();
    const { browser, Cookie } = await signIn(test);
    const client = connect(test, { Cookie });
    expect(await client.ask('{ note }')).toEqual({ note: null });
    await browser.post('/page').send({ note: 'new' }).expect(200);
    expect(await client.ask('{ note }')).toEqual({ note: 'new' });

    test.clock.advance(15 * MINUTE);
    const { received } = client.follow('{ note }');
    expect(await client.closed).toEqual({ code: 1008, reason: 'idle' });
    expect(received).toEqual([]);
  });

  it('is closed by its next operation once the session is locked, which answers nothing', async () => {
    const test = await start({ options: { idleTimeout: '1h', lockAfter: '15m' } });
    const { Cookie } = await signIn(test);
    const client = connect(test, { Cookie });
    expect(await client.ask('{ note }')).toEqual({ note: null });
    test.clock.advance(15 * MINUTE);
    const { received } = client.follow('{ note }');
    expect(await client.closed).toEqual({ code: 1008, reason: 'locked' });
    expect(received).toEqual([]);
  });

  it('that is not attached has its operations refused, except exempt ones', async () => {
    const logger = new RecordingLogger();
    const test = await start({ logger }, false);
    const { Cookie } = await signIn(test);
    const client = connect(test, { Cookie });
    expect(await client.ask('{ note }')).toEqual([
      expect.objectContaining({ message: 'Forbidden resource' }),
    ]);
    expect(logger.warnings.join('\n')).toContain('IdleSessionService.attach');
    expect(await client.ask('{ up }')).toEqual({ up: true });
  });

  it('is told that the storage is away, and stays open', async () => {
    const test = await start();
    const { Cookie } = await signIn(test);
    const client = connect(test, { Cookie });
    await client.ask('{ note }');
    test.app.useLogger(false);
    const read = jest.spyOn(test.storage, 'read').mockRejectedValue(new Error('on purpose'));
    expect(await client.ask('{ note }')).toEqual([
      expect.objectContaining({ extensions: { code: 'SERVICE_UNAVAILABLE' } }),
    ]);
    read.mockRestore();
    expect(await client.ask('{ note }')).toEqual({ note: null });
  });
});
