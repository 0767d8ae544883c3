import {
  BadRequestException,
  Body,
  Controller,
  Header,
  HttpCode,
  Inject,
  Logger,
  Post,
} from '@nestjs/common';
import { createRemoteJWKSet, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { IdleSessionService, SkipIdleSession } from 'nestjs-idle-session';
import { Configuration } from 'openid-client';
import type { Client } from '../redis.js';

// #region controller
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';

@Controller('login/backchannel-logout')
@SkipIdleSession()
export class BackChannelLogoutController {
  private readonly logger = new Logger(BackChannelLogoutController.name);
  private readonly keys: JWTVerifyGetKey;

  constructor(
    private readonly openid: Configuration,
    private readonly sessions: IdleSessionService,
    @Inject('REDIS') private readonly redis: Client,
  ) {
    this.keys = createRemoteJWKSet(new URL(openid.serverMetadata().jwks_uri!));
  }

  @Post()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async logout(@Body('logout_token') token: string): Promise<void> {
    try {
      const { jti, sub, sid } = await this.verify(token);
      const used = `oidc:jti:${jti}`;
      if (await this.redis.exists(used)) throw new Error('The token was used before.');
      await this.end(sub, sid);
      // Noted last: a provider may send the token again if the end failed.
      await this.redis.set(used, '', { expiration: { type: 'EX', value: 10 * 60 } });
    } catch (error) {
      this.logger.warn(`A back-channel logout failed: ${String(error)}`);
      throw new BadRequestException({ error: 'invalid_request' });
    }
  }

  private async verify(token: string) {
    const { payload } = await jwtVerify(token, this.keys, {
      issuer: this.openid.serverMetadata().issuer,
      audience: this.openid.clientMetadata().client_id,
      // That of the ID tokens.
      algorithms: ['RS256'],
      requiredClaims: ['iat', 'exp', 'jti', 'events'],
      maxTokenAge: '5m',
      clockTolerance: '30s',
    });
    const { jti, sub, sid, events } = payload;
    const event = (events as Record<string, unknown>)[LOGOUT_EVENT];
    // An ID token is none.
    if (typeof event !== 'object' || !event || 'nonce' in payload)
      throw new Error('It is no logout token.');
    if (!isName(sub) || !isName(sid) || !(sub ?? sid)) throw new Error('It names no session.');
    return { jti, sub, sid };
  }

  /** By `sid`, what the person signed in to with that session of the provider; without it, all that they have. */
  private async end(sub: string | undefined, sid: string | undefined): Promise<void> {
    const owner = sub ?? (await this.redis.get(`oidc:sid:${sid}`));
    if (!owner) return;
    const by = 'the identity provider';
    if (!sid) {
      await this.sessions.endAll(owner, { by });
      return;
    }
    const sessions = await this.sessions.list(owner);
    const named = sessions.filter(({ description }) => description.sid === sid);
    await Promise.all(named.map(({ ref }) => this.sessions.endByRef(ref, { owner, by })));
  }
}

const isName = (claim: unknown): claim is string | undefined =>
  claim === undefined || typeof claim === 'string';
// #endregion controller
