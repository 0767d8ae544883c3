import {
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
  UnauthorizedException,
  UseGuards,
  VERSION_NEUTRAL,
  type Type,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { NoPage, PassiveRoute, SkipIdleSession } from '../request/idle-session.decorators.js';
import { isPassiveRequest } from '../request/passive-request.js';
import { SessionExpiredException } from '../session/idle-session.exceptions.js';
import type { IdleSessionStatus } from 'idle-session-client/protocol';
import { RequestSessions } from '../session/request-sessions.js';
import { ClientFiles } from './client-files.js';
import { draftKey } from './draft-key.js';
import { idleForMsOf } from './heartbeat-body.js';
import { SameOriginGuard } from './same-origin.guard.js';

const NoStore = () => Header('Cache-Control', 'no-store');

/** The endpoints that the browser client calls, at the configured path and for every version of the app. */
export function idleSessionController(path: string): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  @NoPage()
  class IdleSessionController {
    constructor(
      private readonly requestSessions: RequestSessions,
      private readonly clientFiles: ClientFiles,
      @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    ) {}

    @Get('status')
    @SkipIdleSession()
    @NoStore()
    status(@Req() request: Request): Promise<IdleSessionStatus> {
      return this.requestSessions.of(request).check();
    }

    @Get('client.js')
    @SkipIdleSession()
    client(@Res() response: Response): void {
      const { fileName, integrity } = this.clientFiles;
      response.set('ETag', `"${integrity}"`);
      this.sendScript(fileName, 'no-cache', response);
    }

    @Get(':name.:hash.js')
    @SkipIdleSession()
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
      const session = this.requestSessions.of(request);
      const status = isPassiveRequest(request)
        ? session.status()
        : await session.refresh(idleForMs);
      if (status.reason !== null) throw new SessionExpiredException(status.reason, status.loginUrl);
      return status;
    }

    @Post('sign-out')
    @HttpCode(HttpStatus.NO_CONTENT)
    @SkipIdleSession()
    @UseGuards(SameOriginGuard)
    @NoStore()
    async signOut(@Req() request: Request): Promise<void> {
      await this.requestSessions.of(request).end('signed-out');
    }

    @Get('draft-key')
    @PassiveRoute()
    @NoStore()
    draftKey(@Req() request: Request): { key: string } {
      const { signingSecret, ownerOf } = this.options;
      if (!ownerOf) throw new NotFoundException();
      const { state, reason, loginUrl } = this.requestSessions.of(request).status();
      if (reason !== null) throw new SessionExpiredException(reason, loginUrl);
      if (state === 'none') throw new UnauthorizedException();
      const owner = ownerOf(request);
      if (owner === undefined) throw new NotFoundException();
      return { key: draftKey(signingSecret, owner) };
    }

    private sendScript(fileName: string, cacheControl: string, response: Response): void {
      const source = this.clientFiles.get(fileName);
      if (!source) throw new NotFoundException();
      response.set({ 'Cache-Control': cacheControl, 'X-Content-Type-Options': 'nosniff' });
      response.type('text/javascript').send(source);
    }
  }
  return IdleSessionController;
}
