import { describe, expect, it } from '@jest/globals';
import { Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { ExternalContextCreator, HttpAdapterHost } from '@nestjs/core';
import type { Request, Response } from 'express';
import {
  IdleSessionService,
  PassiveRoute,
  SessionExpiredException,
  SkipIdleSession,
} from 'nestjs-idle-session';
import { serverTiming } from '../support/server-timing.js';
import { MINUTE } from '../support/test-app.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

@Injectable()
class Resolvers {
  constructor(private readonly sessions: IdleSessionService) {}

  me(_root: unknown, _args: unknown, { req }: { req: Request }) {
    return { user: req.session.user, state: req.idleSession?.state };
  }

  async leave(_root: unknown, _args: unknown, { req }: { req: Request }) {
    await this.sessions.end(req);
    return {};
  }

  confirm(_root: unknown, _args: unknown, { req }: { req: Request }) {
    return this.sessions.confirm(req);
  }

  @PassiveRoute()
  poll() {
    return {};
  }

  @SkipIdleSession()
  exempt() {
    return {};
  }

  message() {
    return { heard: true };
  }
}

/** What a GraphQL server may give its resolvers as their context. */
const contexts = {
  plain: (request: Request) => ({ req: request }),
  inherited: (request: Request) => ({ req: Object.create(request) as Request }),
  proxied: (request: Request) => ({ req: new Proxy(request, {}) }),
  empty: () => ({}),
};

/**
 * Serves POST /graphql as GraphQL servers do, and calls what the test says as messages of other transports: the app's
 * guards and interceptors run for them all.
 */
@Module({ providers: [Resolvers] })
class TransportsModule implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly creator: ExternalContextCreator,
    private readonly resolvers: Resolvers,
  ) {}

  onModuleInit(): void {
    this.adapterHost.httpAdapter.use(
      '/graphql',
      (request: Request, response: Response, next: (error?: unknown) => void) => {
        const fields = [request.query.field].flat() as (keyof Resolvers)[];
        const { context: kind = 'plain' } = request.query;
        const context = contexts[kind as keyof typeof contexts](request);
        this.operate(fields, context).then(
          (data) => response.json({ data }),
          (error: unknown) =>
            error instanceof SessionExpiredException
              ? response.json({ errors: [{ reason: error.reason }] })
              : next(error),
        );
      },
    );
  }

  /** Asks for one field after the other, and answers with the last. */
  private async operate(fields: (keyof Resolvers)[], context: object): Promise<unknown> {
    let data: unknown;
    for (const field of fields)
      data = await this.call('graphql', field, [undefined, {}, context, { fieldName: field }]);
    return data;
  }

  call(type: string, name: keyof Resolvers, args: unknown[]): Promise<unknown> {
    const handler = this.creator.create(
      this.resolvers,
      this.resolvers[name] as (...args: unknown[]) => unknown,
      name,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      type,
    );
    return handler(...args) as Promise<unknown>;
  }
}

const metadata = { imports: [TransportsModule] };

describe('A GraphQL resolver', () => {
  it('is guarded, its request is activity, and the status is on the request', async () => {
    const test = await start({ metadata });
    const ada = await test.signedIn();
    for (let i = 0; i < 3; i++) {
      test.clock.advance(14 * MINUTE);
      await ada
        .post('/graphql?field=me')
        .expect(200, { data: { user: 'ada', state: 'active' } })
        .expect('Server-Timing', serverTiming('active', 900_000));
    }
  });

  it.each(['inherited', 'proxied'])('is guarded if its request is %s', async (context) => {
    const test = await start({ metadata });
    const [ada, nobody] = [await test.signedIn(), test.browser()];
    for (let i = 0; i < 3; i++) {
      test.clock.advance(14 * MINUTE);
      await ada
        .post(`/graphql?field=me&context=${context}`)
        .expect(200, { data: { user: 'ada', state: 'active' } })
        .expect('Server-Timing', serverTiming('active', 900_000));
    }
    await nobody
      .post(`/graphql?field=me&context=${context}`)
      .expect(200, { data: { state: 'none' } });
    test.clock.advance(15 * MINUTE);
    await ada
      .post(`/graphql?field=me&context=${context}`)
      .expect(200, { errors: [{ reason: 'idle' }] });
  });

  it.each(['plain', 'inherited', 'proxied'])(
    'goes by what another did to the session in the same operation; its request is %s',
    async (context) => {
      const test = await start({ metadata });
      const ada = await test.signedIn();
      const after = (field: string) =>
        ada.post(`/graphql?field=${field}&field=me&context=${context}`);
      await after('confirm').expect(200, { data: { user: 'ada', state: 'active' } });
      await ada.get('/members').expect(200, { user: 'ada' });
      await after('leave').expect(200, { errors: [{ reason: 'signed-out' }] });
    },
  );

  it('gets the exception of a session that ended, for the GraphQL server to answer', async () => {
    const test = await start({ metadata });
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    await ada.post('/graphql?field=me').expect(200, { errors: [{ reason: 'idle' }] });
    await ada.post('/graphql?field=exempt').expect(200, { data: {} });
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'expired']);
  });

  it('may be passive', async () => {
    const test = await start({ metadata });
    const ada = await test.signedIn();
    test.clock.advance(10 * MINUTE);
    await ada
      .post('/graphql?field=poll')
      .expect(200)
      .expect('Server-Timing', serverTiming('active', 300_000));
  });

  it('is an error that names the cure if the context has no request', async () => {
    const test = await start({ metadata, logger: new RecordingLogger() });
    const resolving = test.app
      .get(TransportsModule)
      .call('graphql', 'me', [undefined, {}, {}, { fieldName: 'me' }]);
    await expect(resolving).rejects.toThrow(
      /GraphQL context has no "req".* override getRequest\(\) of IdleSessionGuard and IdleSessionInterceptor/,
    );
    const ada = await test.signedIn();
    await ada.post('/graphql?field=me&context=empty').expect(500);
  });
});

describe('A message of a microservice', () => {
  it('passes the guard and the interceptor untouched', async () => {
    const test = await start({ metadata });
    await expect(
      test.app.get(TransportsModule).call('rpc', 'message', [{ id: 7 }, {}]),
    ).resolves.toEqual({ heard: true });
    expect(test.events).toEqual([]);
  });
});
