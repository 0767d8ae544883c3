import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Module } from '@nestjs/common';
import { Context, GraphQLModule, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { Request } from 'express';
import { PassiveRoute } from 'nestjs-idle-session';

declare module 'express-session' {
  interface SessionData {
    user?: string;
  }
}

// #region resolver
@Resolver()
class ClaimsResolver {
  @Query(() => String, { nullable: true })
  me(@Context('req') request: Request) {
    return request.session.user;
  }

  @Mutation(() => Boolean)
  renameClaim() {
    return true;
  }

  @Query(() => Boolean)
  @PassiveRoute()
  hasNews() {
    return false;
  }
}
// #endregion resolver

// #region module
@Module({
  imports: [
    GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true }),
  ],
  providers: [ClaimsResolver],
})
export class ClaimsModule {}
// #endregion module
