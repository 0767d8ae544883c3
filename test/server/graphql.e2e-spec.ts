import { describe, expect, it, jest } from '@jest/globals';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import {
  Injectable,
  UnauthorizedException,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Context, GraphQLModule, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { Request } from 'express';
import { FreshSession, PassiveRoute, SkipIdleSession } from 'nestjs-idle-session';
import type { Browser } from '../support/requests.js';
import { serverTiming } from '../support/server-timing.js';
import { MINUTE } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

/** As a guard of the app's root module, it runs before the library's. */
@Injectable()
class MembersGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (context.getType<string>() !== 'graphql') return true;
    const { req } = context.getArgByIndex<{ req: Request }>(2);
    if (req.session.user === undefined) throw new UnauthorizedException('please sign in');
    return true;
  }
}

@Resolver()
class ClaimsResolver {
  @Query(() => String, { nullable: true })
  user(@Context('req') request: Request) {
    return request.session.user;
  }

  @Mutation(() => Boolean)
  rename() {
    return true;
  }

  @Mutation(() => Boolean)
  @FreshSession('5m')
  transfer() {
    return true;
  }

  @Query(() => Boolean)
  @PassiveRoute()
  news() {
    return false;
  }

  @Query(() => Boolean)
  @SkipIdleSession()
  up() {
    return true;
  }
}

const metadata = {
  imports: [
    GraphQLModule.forRoot<ApolloDriverConfig>({
      driver: ApolloDriver,
      autoSchemaFile: true,
      includeStacktraceInErrorResponses: false,
    }),
  ],
  providers: [ClaimsResolver],
};

/** As @urql/core sends it. */
const ask = (browser: Browser, query: string) =>
  browser
    .post('/graphql')
    .set(
      'Accept',
      'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
    )
    .send({ query });

const errorsOf = async (browser: Browser, query: string): Promise<unknown[]> =>
  (await ask(browser, query)).body.errors;

describe('A GraphQL server', () => {
  it.each(['{ user }', 'mutation { rename }', '{ user news }'])(
    'counts as activity: %s',
    async (query) => {
      const test = await start({ metadata });
      const ada = await test.signedIn();
      test.clock.advance(14 * MINUTE);
      const { body } = await ask(ada, query)
        .expect(200)
        .expect('Server-Timing', serverTiming('active', 900_000));
      expect(body).not.toHaveProperty('errors');
    },
  );

  it('does not count what is passive', async () => {
    const test = await start({ metadata });
    const ada = await test.signedIn();
    test.clock.advance(10 * MINUTE);
    await ask(ada, '{ news }').expect('Server-Timing', serverTiming('active', 300_000));
  });

  it.each(['{ user }', 'mutation { rename }', '{ news }'])(
    'says of a session that ended that it is not authenticated, and why: %s',
    async (query) => {
      const test = await start({ metadata, options: { loginUrl: '/login' } });
      const ada = await test.signedIn();
      test.clock.advance(15 * MINUTE);
      expect(await errorsOf(ada, query)).toEqual([
        expect.objectContaining({
          message: 'For your security, we signed you out because you were inactive.',
          extensions: { code: 'UNAUTHENTICATED', reason: 'idle', loginUrl: '/login' },
        }),
      ]);
      expect((await ask(ada, '{ up }')).body).toEqual({ data: { up: true } });
    },
  );

  it('says of a locked session that the person has to unlock it', async () => {
    const locking = { idleTimeout: '1h', lockAfter: '15m', unlockUrl: '/unlock' } as const;
    const test = await start({ metadata, options: locking });
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    expect(await errorsOf(ada, '{ user }')).toEqual([
      expect.objectContaining({
        message: 'For your security, we locked this page because you were inactive.',
        extensions: { code: 'UNAUTHENTICATED', reason: 'locked', unlockUrl: '/unlock' },
      }),
    ]);
    expect((await ask(ada, '{ up }')).body).toEqual({ data: { up: true } });
  });

  it('says of a proof that is too old that the person has to confirm', async () => {
    const test = await start({ metadata, options: { confirmUrl: '/confirm' } });
    const ada = await test.signedIn();
    expect((await ask(ada, 'mutation { transfer }')).body).toEqual({ data: { transfer: true } });
    test.clock.advance(5 * MINUTE + 1);
    expect(await errorsOf(ada, 'mutation { transfer }')).toEqual([
      expect.objectContaining({
        message: 'For your security, please confirm that it is you.',
        extensions: {
          code: 'UNAUTHENTICATED',
          reason: 'confirm',
          maxAgeMs: 5 * MINUTE,
          confirmUrl: '/confirm',
        },
      }),
    ]);
    expect((await ask(ada, '{ user }')).body).toEqual({ data: { user: 'ada' } });
  });

  it('says why also when a guard of the app refuses', async () => {
    const guard = { provide: APP_GUARD, useClass: MembersGuard };
    const test = await start({
      metadata: { ...metadata, providers: [...metadata.providers, guard] },
    });
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    expect(await errorsOf(ada, '{ user }')).toEqual([
      expect.objectContaining({
        extensions: { code: 'UNAUTHENTICATED', reason: 'idle', loginUrl: null },
      }),
    ]);
    expect(await errorsOf(test.browser(), '{ user }')).toEqual([
      expect.objectContaining({ message: 'please sign in' }),
    ]);
  });

  it('says that the storage is away, and signs nobody out', async () => {
    const test = await start({ metadata });
    const ada = await test.signedIn();
    const read = jest.spyOn(test.storage, 'read').mockRejectedValue(new Error('on purpose'));
    test.app.useLogger(false);
    expect(await errorsOf(ada, '{ user }')).toEqual([
      expect.objectContaining({ extensions: { code: 'SERVICE_UNAVAILABLE' } }),
    ]);
    read.mockRestore();
    expect((await ask(ada, '{ user }')).body).toEqual({ data: { user: 'ada' } });
  });
});
