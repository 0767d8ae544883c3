import { Body, Controller, Get, Post, Query, Render, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { IdleSessionService, safeReturnTo } from 'nestjs-idle-session';
import { formText } from '../form-text.js';
import { confirmPage } from './confirm-page.js';
import { WRONG_PASSWORD } from './passwords.js';
import { SignedInPage } from './signed-in-page.js';
import { Users } from './users.js';

/** Asks for the password again, where a route wants a newer proof than the session has. */
@Controller('confirm')
@SignedInPage()
export class ConfirmController {
  constructor(
    private readonly users: Users,
    private readonly sessions: IdleSessionService,
  ) {}

  @Get()
  @Render('confirm')
  show(@Req() request: Request, @Query('returnTo') returnTo: unknown) {
    return confirmPage(request, safeReturnTo(returnTo));
  }

  @Post()
  async confirm(
    @Req() request: Request,
    @Res() response: Response,
    @Query('returnTo') returnTo: unknown,
    @Body() form: { readonly password?: unknown } = {},
  ): Promise<void> {
    const target = safeReturnTo(returnTo);
    const { id } = request.session.user!;
    // A real app counts wrong tries, here and at the sign-in.
    if (!(await this.users.authenticate(id, formText(form.password)))) {
      const page = confirmPage(request, target, WRONG_PASSWORD);
      response.status(401).render('confirm', page);
      return;
    }
    await this.sessions.confirm(request);
    response.redirect(303, target);
  }
}
