import { promisify } from 'node:util';
import { Controller, Get, Inject, Logger, Module, Query, Redirect, Req } from '@nestjs/common';
import { RedisStore } from 'connect-redis';
import type { Request } from 'express';
import type { SessionData } from 'express-session';
import { IdleSessionModule, safeReturnTo, SkipIdleSession } from 'nestjs-idle-session';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  Configuration,
  discovery,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import { RedisModule, type Client } from '../redis.js';
import { BackChannelLogoutController } from './oidc-logout.js';

// #region session
declare module 'express-session' {
  interface SessionData {
    /** The provider's `sub`. */
    user?: string;
    /** The person's session at the provider, which its logout tokens name. */
    sid?: string;
    /** While the person is at the provider. */
    signIn?: { state: string; codeVerifier: string; startedAt: number; returnTo: string };
  }
}
// #endregion session

// #region controller
const APP_URL = process.env.APP_URL ?? 'https://claims.example.com';

const MESSAGES = new Map<unknown, string>([
  ['idle', 'For your security, we signed you out because you were inactive.'],
  ['absolute', 'For your security, we ask you to sign in again from time to time.'],
  ['signed-out', 'You have signed out.'],
  ['revoked', 'You were signed out.'],
  ['failed', 'The sign-in did not succeed. Please try again.'],
]);

@Controller('login')
@SkipIdleSession()
export class LoginController {
  private readonly logger = new Logger(LoginController.name);

  constructor(
    private readonly openid: Configuration,
    @Inject('REDIS') private readonly redis: Client,
  ) {}

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
  async toProvider(@Req() request: Request, @Query('returnTo') returnTo: unknown) {
    const [state, codeVerifier] = [randomState(), randomPKCECodeVerifier()];
    const path = safeReturnTo(returnTo, '/');
    request.session.signIn = { state, codeVerifier, startedAt: Date.now(), returnTo: path };
    const { href } = buildAuthorizationUrl(this.openid, {
      redirect_uri: `${APP_URL}/login/callback`,
      scope: 'openid',
      state,
      code_challenge: await calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: 'S256',
      // The provider asks for the password, although it still knows the person.
      prompt: 'login',
      // With this, the ID token says when the person gave it.
      max_age: '0',
    });
    return { url: href, statusCode: 303 };
  }

  @Get('callback')
  @Redirect()
  async callback(@Req() request: Request) {
    const { signIn } = request.session;
    delete request.session.signIn;
    const claims = signIn && (await this.claimsOf(request, signIn));
    if (!claims) return { url: '/login?reason=failed', statusCode: 303 };
    const { sub, sid } = claims;
    if (sid) await this.redis.set(`oidc:sid:${sid}`, sub, { expiration: DAY });
    await promisify(request.session.regenerate.bind(request.session))();
    request.session.user = sub;
    if (sid) request.session.sid = sid;
    // Saved before the redirect, so that the browser is not faster than the store.
    await promisify(request.session.save.bind(request.session))();
    return { url: signIn.returnTo, statusCode: 303 };
  }

  private async claimsOf(request: Request, { state, codeVerifier, startedAt }: SignIn) {
    try {
      const tokens = await authorizationCodeGrant(
        this.openid,
        new URL(request.originalUrl, APP_URL),
        {
          expectedState: state,
          pkceCodeVerifier: codeVerifier,
          // The person proved who they are since they pressed the button, and not before.
          maxAge: Math.ceil((Date.now() - startedAt) / 1000),
        },
      );
      const { sub, sid } = tokens.claims()!;
      return { sub, sid: typeof sid === 'string' ? sid : undefined };
    } catch (error) {
      this.logger.warn(`A sign-in failed: ${String((error as Error).cause ?? error)}`);
      return undefined;
    }
  }
}

type SignIn = NonNullable<SessionData['signIn']>;

/** Longer than the absolute timeout. */
const DAY = { type: 'EX', value: 24 * 60 * 60 } as const;
// #endregion controller

// #region module
@Module({
  imports: [
    RedisModule,
    IdleSessionModule.forRootAsync({
      imports: [RedisModule],
      inject: ['REDIS'],
      useFactory: (client: Client) => ({
        session: {
          secret: process.env.SESSION_SECRET ?? 'at least sixteen characters',
          store: new RedisStore({ client }),
        },
        storage: new RedisActivityStorage(client),
        loginUrl: '/login',
        // `signIn` is in a session before the person has signed in: that one is nobody's.
        appliesTo: ({ session }) => session.user !== undefined,
        ownerOf: ({ session }) => session.user,
        describe: ({ session }) => ({ sid: session.sid ?? '' }),
      }),
    }),
  ],
  controllers: [LoginController, BackChannelLogoutController],
  providers: [
    {
      provide: Configuration,
      useFactory: () =>
        discovery(
          new URL(process.env.OIDC_ISSUER ?? 'https://login.example.com'),
          process.env.OIDC_CLIENT_ID ?? 'claims',
          process.env.OIDC_CLIENT_SECRET,
        ),
    },
  ],
})
export class AppModule {}
// #endregion module
