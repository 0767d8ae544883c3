import { Body, Controller, Get, HttpStatus, Post, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { AllowLocked, IdleSessionService, safeReturnTo } from 'nestjs-idle-session';
import { formText } from '../form-text.js';
import { WRONG_PASSWORD } from './passwords.js';
import { SignedInPage } from './signed-in-page.js';
import { SignInRequiredException } from './signed-in.guard.js';
import { unlockPage } from './unlock-page.js';
import { UnlockTries } from './unlock-tries.js';
import { Users } from './users.js';

const TRIES_ALLOWED = 5;

/** Asks for the password of a locked session: on a page of its own, and for the form that lies over a locked page. */
@Controller('unlock')
@AllowLocked()
@SignedInPage()
export class UnlockController {
  constructor(
    private readonly users: Users,
    private readonly sessions: IdleSessionService,
    private readonly tries: UnlockTries,
  ) {}

  @Get()
  show(
    @Req() request: Request,
    @Res() response: Response,
    @Query('returnTo') returnTo: unknown,
  ): void {
    const target = safeReturnTo(returnTo);
    if (request.idleSession?.state !== 'locked') return response.redirect(303, target);
    response.render('unlock', unlockPage(request, target));
  }

  @Post()
  async unlock(
    @Req() request: Request,
    @Res() response: Response,
    @Query('returnTo') returnTo: unknown,
    @Body() form: { readonly password?: unknown } = {},
  ): Promise<void> {
    const target = safeReturnTo(returnTo);
    const { id } = request.session.user!;
    // Counted before the password is checked: many guesses may come at once.
    if (this.tries.count(id) > TRIES_ALLOWED) {
      await this.sessions.end(request, 'revoked');
      this.tries.clear(id);
      return response.redirect(303, '/login?reason=revoked');
    }
    if (!(await this.users.authenticate(id, formText(form.password)))) {
      const page = unlockPage(request, target, WRONG_PASSWORD);
      response.status(HttpStatus.UNPROCESSABLE_ENTITY).render('unlock', page);
      return;
    }
    this.tries.clear(id);
    if (!(await this.sessions.unlock(request))) throw new SignInRequiredException();
    response.redirect(303, target);
  }
}
