import {
  BadRequestException,
  Body,
  Controller,
  Get,
  Header,
  HttpCode,
  HttpStatus,
  Inject,
  NotFoundException,
  Param,
  Post,
  Req,
  Res,
  SetMetadata,
  UnauthorizedException,
  UseGuards,
  VERSION_NEUTRAL,
  type Type,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { draftKey } from './draft-key.js';
import { PassiveRoute, SKIP_IDLE_SESSION } from '../request/idle-session.decorators.js';
import { SessionExpiredException } from '../session/idle-session.exceptions.js';
import { IdleSessionService } from '../idle-session.service.js';
import type { IdleSessionStatus } from '../session/idle-session.status.js';
import type { MaybePromise } from '../maybe-promise.js';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import { isPassiveRequest } from '../request/passive-request.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { SameOriginGuard } from './same-origin.guard.js';

/** Exempt, as with `@SkipIdleSession()`, but no page that could tell a person anything: the cookie stays. */
const Unpaged = () => SetMetadata(SKIP_IDLE_SESSION, 'status');

const NoStore = () => Header('Cache-Control', 'no-store');

/** The endpoints, at the configured path and for every version of the app. */
export function idleSessionController(path: string): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  class IdleSessionController {
    constructor(
      private readonly sessions: IdleSessionService,
      @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    ) {}

    @Get('status')
    @Unpaged()
    @NoStore()
    status(@Req() request: Request): MaybePromise<IdleSessionStatus> {
      return this.sessions.check(request);
    }

    @Get('client.js')
    @Unpaged()
    client(@Res() response: Response): void {
      const { fileName, integrity } = this.sessions.client;
      response.set('ETag', `"${integrity}"`);
      this.sendScript(fileName, 'no-cache', response);
    }

    @Get(':name.:hash.js')
    @Unpaged()
    hashedClient(
      @Param('name') name: string,
      @Param('hash') hash: string,
      @Res() response: Response,
    ): void {
      this.sendScript(`${name}.${hash}.js`, 'public, max-age=31536000, immutable', response);
    }

    @Post('heartbeat')
    @HttpCode(HttpStatus.OK)
    @PassiveRoute()
    @UseGuards(SameOriginGuard)
    @NoStore()
    async heartbeat(@Req() request: Request, @Body() body: unknown): Promise<IdleSessionStatus> {
      const idleForMs = idleForMsOf(body);
      const status = isPassiveRequest(request)
        ? this.sessions.status(request)
        : await this.sessions.refresh(request, idleForMs);
      if (status.reason !== null) throw new SessionExpiredException(status.reason, status.loginUrl);
      return status;
    }

    @Post('sign-out')
    @HttpCode(HttpStatus.NO_CONTENT)
    @Unpaged()
    @UseGuards(SameOriginGuard)
    @NoStore()
    async signOut(@Req() request: Request): Promise<void> {
      await this.sessions.end(request);
    }

    @Get('draft-key')
    @PassiveRoute()
    @NoStore()
    draftKey(@Req() request: Request): { key: string } {
      const { signingSecret, ownerOf } = this.options;
      if (!ownerOf) throw new NotFoundException();
      const { state, reason, loginUrl } = this.sessions.status(request);
      if (reason !== null) throw new SessionExpiredException(reason, loginUrl);
      if (state === 'none') throw new UnauthorizedException();
      const owner = ownerOf(request);
      if (owner === undefined) throw new NotFoundException();
      return { key: draftKey(signingSecret, owner) };
    }

    private sendScript(fileName: string, cacheControl: string, response: Response): void {
      const source = this.sessions.client.files.get(fileName);
      if (!source) throw new NotFoundException();
      response.set({ 'Cache-Control': cacheControl, 'X-Content-Type-Options': 'nosniff' });
      response.type('text/javascript').send(source);
    }
  }
  return IdleSessionController;
}

function idleForMsOf(body: unknown): number {
  const takes = 'it takes { "idleForMs": <milliseconds, 0 or more> } as JSON.';
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new BadRequestException(`The body is no object; ${takes}`);
  }
  const unknown = Object.keys(body).find((key) => key !== 'idleForMs');
  if (unknown !== undefined)
    throw new BadRequestException(`The body has an unknown ${JSON.stringify(unknown)}; ${takes}`);
  const { idleForMs } = body as { idleForMs?: unknown };
  if (typeof idleForMs === 'number' && Number.isFinite(idleForMs) && idleForMs >= 0)
    return idleForMs;
  throw new BadRequestException(
    `"idleForMs" got ${JSON.stringify(idleForMs) ?? 'nothing'}; ${takes}`,
  );
}
