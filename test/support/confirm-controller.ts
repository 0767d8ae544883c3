import { Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { FreshSession, IdleSessionService } from 'nestjs-idle-session';
import { Gate } from './gate.js';

/** What asks for a fresh proof, and where the person gives one. */
@Controller()
export class ConfirmController {
  constructor(private readonly sessions: IdleSessionService) {}

  @Get('email')
  @FreshSession('5m')
  email(@Req() request: Request) {
    return { user: request.session.user };
  }

  @Post('email')
  @FreshSession('5m')
  @HttpCode(200)
  changeEmail() {
    return {};
  }

  /** With a gate in the query, it waits there as if it checked a password. */
  @Post('confirm')
  @HttpCode(200)
  async confirm(@Req() request: Request) {
    if (request.query.gate !== undefined) await Gate.of(request.query.gate).pass();
    const isConfirmed = await this.sessions.confirm(request);
    return { isConfirmed, user: request.session?.user ?? null, note: request.session?.note };
  }

  @Post('confirm-late')
  @HttpCode(200)
  async confirmLate(@Req() request: Request, @Res() response: Response) {
    response.write('begun: ');
    await this.sessions.confirm(request).catch((error: Error) => response.write(error.message));
    response.end();
  }
}
