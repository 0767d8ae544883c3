import { randomUUID } from 'node:crypto';
import { Controller, Get, Module, Query, Redirect, Req } from '@nestjs/common';
import type { Request } from 'express';
import { IdleSessionModule, safeReturnTo, SkipIdleSession } from 'nestjs-idle-session';

declare module 'express-session' {
  interface SessionData {
    signIn?: { state: string; returnTo: string };
  }
}

const AUTHORIZATION_ENDPOINT = 'https://login.example.com/authorize';
const CLIENT = { client_id: 'claims', redirect_uri: 'https://claims.example.com/login/callback' };

const MESSAGES = new Map<unknown, string>([
  ['idle', 'For your security, we signed you out because you were inactive.'],
  ['absolute', 'For your security, we ask you to sign in again from time to time.'],
  ['signed-out', 'You have signed out.'],
]);

// #region controller
@Controller('login')
@SkipIdleSession()
export class LoginController {
  /** Says why the session ended. Nothing happens at the provider until the person presses the button. */
  @Get()
  page(@Query('reason') reason: unknown, @Query('returnTo') returnTo: unknown): string {
    const path = encodeURIComponent(safeReturnTo(returnTo, '/'));
    return `<!doctype html><html lang="en"><title>Sign in</title>
      <p role="status">${MESSAGES.get(reason) ?? 'Please sign in.'}</p>
      <p><a href="/login/provider?returnTo=${path}">Sign in</a></p>`;
  }

  @Get('provider')
  @Redirect()
  toProvider(@Req() request: Request, @Query('returnTo') returnTo: unknown) {
    const state = randomUUID();
    request.session.signIn = { state, returnTo: safeReturnTo(returnTo, '/') };
    const query = new URLSearchParams({
      ...CLIENT,
      response_type: 'code',
      scope: 'openid',
      state,
      // The provider asks for the password, although it still knows the person.
      prompt: 'login',
    });
    return { url: `${AUTHORIZATION_ENDPOINT}?${query}`, statusCode: 303 };
  }
}
// #endregion controller

@Module({
  imports: [
    // #region module
    IdleSessionModule.forRoot({
      session: { secret: process.env.SESSION_SECRET ?? 'at least sixteen characters' },
      loginUrl: '/login',
      // `state` is in a session before the person has signed in: that one is nobody's.
      appliesTo: (request) => request.session.user !== undefined,
    }),
    // #endregion module
  ],
  controllers: [LoginController],
})
export class AppModule {}
