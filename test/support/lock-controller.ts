import {
  Body,
  Controller,
  Get,
  HttpCode,
  Injectable,
  Post,
  Req,
  UnauthorizedException,
  UseGuards,
  type CanActivate,
} from '@nestjs/common';
import type { Request } from 'express';
import { AllowLocked, EndsWithSession, IdleSessionService } from 'nestjs-idle-session';
import { Gate } from './gate.js';

declare module 'express-session' {
  interface SessionData {
    tries?: number;
  }
}

/** As one that checks a password. */
@Injectable()
class WrongPasswordGuard implements CanActivate {
  canActivate(): boolean {
    throw new UnauthorizedException('wrong password');
  }
}

/** Where a person unlocks their session. */
@Controller()
export class LockController {
  constructor(private readonly sessions: IdleSessionService) {}

  @Get('unlock')
  @AllowLocked()
  form(@Req() request: Request) {
    return { user: request.session.user, tries: request.session.tries ?? 0 };
  }

  /** With a gate in the query, it waits there as if it checked a password. */
  @Post('unlock')
  @AllowLocked()
  @HttpCode(200)
  async unlock(@Req() request: Request, @Body() body: { password?: string }) {
    if (request.query.gate !== undefined) await Gate.of(request.query.gate).pass();
    if (body?.password === 'wrong') {
      request.session.tries = (request.session.tries ?? 0) + 1;
      throw new UnauthorizedException('wrong password');
    }
    const isUnlocked = await this.sessions.unlock(request);
    return { isUnlocked, state: request.idleSession?.state, note: request.session?.note ?? null };
  }

  /** As on a controller whose answers end with their session. */
  @Post('marked-unlock')
  @AllowLocked()
  @EndsWithSession()
  @HttpCode(200)
  markedUnlock(@Req() request: Request, @Body() body: { password?: string }) {
    return this.unlock(request, body);
  }

  @Post('guarded-unlock')
  @AllowLocked()
  @UseGuards(WrongPasswordGuard)
  guardedUnlock() {
    return {};
  }

  @Post('leave')
  @AllowLocked()
  @HttpCode(204)
  leave(@Req() request: Request) {
    return this.sessions.end(request);
  }

  /** On a route that locked sessions may use, so that the service decides. */
  @Post('confirm-locked')
  @AllowLocked()
  @HttpCode(200)
  async confirm(@Req() request: Request) {
    return { isConfirmed: await this.sessions.confirm(request) };
  }

  @Post('refresh-locked')
  @AllowLocked()
  @HttpCode(200)
  async refresh(@Req() request: Request) {
    if (request.query.gate !== undefined) await Gate.of(request.query.gate).pass();
    return this.sessions.refresh(request, Number(request.query.idleForMs ?? 0));
  }
}
