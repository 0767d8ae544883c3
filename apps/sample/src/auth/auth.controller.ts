import { Body, Controller, Get, Post, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import {
  AllowLocked,
  IdleSessionService,
  safeReturnTo,
  SkipIdleSession,
} from 'nestjs-idle-session';
import { formText } from '../form-text.js';
import { pastConfirm } from './confirm-page.js';
import { loginPage } from './login-page.js';
import { signIn } from './sign-in.js';
import { toEndReason } from './sign-out-notice.js';
import { UnlockTries } from './unlock-tries.js';
import { Users } from './users.js';

interface LoginForm {
  readonly username?: unknown;
  readonly password?: unknown;
  readonly returnTo?: unknown;
}

@Controller()
export class AuthController {
  constructor(
    private readonly users: Users,
    private readonly idleSessions: IdleSessionService,
    private readonly unlockTries: UnlockTries,
  ) {}

  @Get('login')
  @SkipIdleSession()
  show(
    @Req() request: Request,
    @Res() response: Response,
    @Query('reason') reason: unknown,
    @Query('returnTo') returnTo: unknown,
  ): void {
    const target = safeReturnTo(returnTo);
    // Whoever was signed out has an empty session here, or none.
    if (request.session?.user) {
      response.redirect(303, target);
      return;
    }
    // Opened directly, the page has no reason in its address, but the request still knows it.
    const endReason = toEndReason(reason) ?? request.idleSession?.reason ?? undefined;
    response.render('login', loginPage(request, { returnTo: target, endReason }));
  }

  @Post('login')
  @SkipIdleSession()
  async login(
    @Req() request: Request,
    @Res() response: Response,
    @Body() form: LoginForm = {},
  ): Promise<void> {
    const username = formText(form.username);
    const returnTo = safeReturnTo(form.returnTo);
    const user = await this.users.authenticate(username, formText(form.password));
    if (!user) {
      const page = loginPage(request, { returnTo, username, isWrong: true });
      response.status(401).render('login', page);
      return;
    }
    this.unlockTries.clear(user.id);
    await signIn(request, user);
    response.redirect(303, pastConfirm(returnTo));
  }

  @Post('logout')
  @AllowLocked()
  async logout(@Req() request: Request, @Res() response: Response): Promise<void> {
    await this.idleSessions.end(request, 'signed-out');
    response.redirect(303, '/login?reason=signed-out');
  }
}
