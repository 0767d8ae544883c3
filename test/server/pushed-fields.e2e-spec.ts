import { afterEach, describe, expect, it } from '@jest/globals';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import {
  Field,
  GraphQLModule,
  ObjectType,
  Parent,
  Query,
  ResolveField,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import type { Request } from 'express';
import { createClient, type Client } from 'graphql-ws';
import { IdleSessionService } from 'nestjs-idle-session';
import WebSocket from 'ws';
import { PATIENCE_MS } from '../support/durations.js';
import { statusOf } from '../support/requests.js';
import { signIn } from '../support/socket-app.js';
import { hostOf } from '../support/socket-client.js';
import { MINUTE } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';
import { until } from '../support/until.js';

@ObjectType()
class Claim {
  @Field()
  id!: string;
}

let push: () => void = () => {};
let subscribed = false;

@Resolver(() => Claim)
class ClaimResolver {
  @Query(() => Claim)
  claim() {
    return { id: 'a' };
  }

  @ResolveField(() => String)
  title(@Parent() { id }: Claim) {
    return `title of ${id}`;
  }

  @Subscription(() => Claim)
  async *changed() {
    subscribed = true;
    for (;;) {
      await new Promise<void>((resolve) => (push = resolve));
      yield { changed: { id: 'a' } };
    }
  }
}

const startApp = testApps();
const clients: Client[] = [];
afterEach(() => clients.splice(0).forEach((client) => void client.dispose()));

describe('A subscription whose fields have guards and interceptors of their own', () => {
  it('is no activity when the server pushes', async () => {
    const test = await startApp({
      metadata: {
        imports: [
          GraphQLModule.forRootAsync<ApolloDriverConfig>({
            driver: ApolloDriver,
            inject: [IdleSessionService],
            useFactory: (sessions: IdleSessionService) => ({
              autoSchemaFile: true,
              fieldResolverEnhancers: ['guards', 'interceptors'],
              context: ({ req, extra }: { req?: Request; extra?: { request: Request } }) => ({
                req: req ?? extra?.request,
              }),
              subscriptions: {
                'graphql-ws': {
                  connectionInitWaitTimeout: PATIENCE_MS,
                  onConnect: (connection) => {
                    const { socket, request } = (
                      connection as unknown as { extra: { socket: WebSocket; request: Request } }
                    ).extra;
                    return sessions.attach(socket, request);
                  },
                },
              },
            }),
          }),
        ],
        providers: [ClaimResolver],
      },
    });
    await test.app.listen(0, '127.0.0.1');
    const { browser, Cookie } = await signIn(test);
    class WithCookie extends WebSocket {
      constructor(address: string, protocol: string) {
        super(address, protocol, { headers: { Cookie } });
      }
    }
    const client = createClient({
      url: `ws://${hostOf(test)}/graphql`,
      webSocketImpl: WithCookie,
      retryAttempts: 0,
    });
    clients.push(client);
    const received: unknown[] = [];
    client.subscribe(
      { query: 'subscription { changed { id title } }' },
      { next: ({ data, errors }) => received.push(errors ?? data), error() {}, complete() {} },
    );
    await until('it is subscribed', () => subscribed);
    test.clock.advance(10 * MINUTE);
    push();
    await until('it arrives', () => received.length > 0);
    expect(received).toEqual([{ changed: { id: 'a', title: 'title of a' } }]);
    expect(await statusOf(browser)).toMatchObject({ expiresInMs: 5 * MINUTE });
  });
});
