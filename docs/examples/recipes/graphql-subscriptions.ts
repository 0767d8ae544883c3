import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Module } from '@nestjs/common';
import { GraphQLModule, Query, Resolver, Subscription } from '@nestjs/graphql';
import type { Request } from 'express';
import { IdleSessionService } from 'nestjs-idle-session';
import type { WebSocket } from 'ws';

@Resolver()
class NewsResolver {
  @Query(() => Boolean)
  up() {
    return true;
  }

  @Subscription(() => String)
  async *news() {
    yield { news: 'hello' };
    await new Promise(() => {});
  }
}

// #region module
interface Connection {
  extra: { socket: WebSocket; request: Request };
}

@Module({
  imports: [
    GraphQLModule.forRootAsync<ApolloDriverConfig>({
      driver: ApolloDriver,
      inject: [IdleSessionService],
      useFactory: (sessions: IdleSessionService) => ({
        autoSchemaFile: true,
        subscriptions: {
          'graphql-ws': {
            onConnect: (connection) => {
              const { extra } = connection as unknown as Connection;
              return sessions.attach(extra.socket, extra.request);
            },
          },
        },
        // Over HTTP there is `req`; over a socket, its handshake.
        context: ({ req, extra }: { req?: Request } & Partial<Connection>) => ({
          req: req ?? extra?.request,
        }),
      }),
    }),
  ],
  providers: [NewsResolver],
})
export class NewsModule {}
// #endregion module
