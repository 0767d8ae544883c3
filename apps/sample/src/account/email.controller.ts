import { Body, Controller, Get, Post, Render, Req, Res, UseFilters } from '@nestjs/common';
import type { Request, Response } from 'express';
import { FreshSession } from 'nestjs-idle-session';
import { SignedInPage } from '../auth/signed-in-page.js';
import { Users } from '../auth/users.js';
import { leaveNotice, takeNotice } from '../notice.js';
import { page } from '../page.js';
import { checkEmail, type EmailForm, readEmail } from './email-form.js';
import { KeepTypedEmailFilter, takeTypedEmail } from './keep-typed-email.filter.js';

/** The page asks for the password before the person types, and the form again if they took long. */
@Controller('account/email')
@SignedInPage()
@FreshSession('5m')
export class EmailController {
  constructor(private readonly users: Users) {}

  @Get()
  @Render('email')
  form(@Req() request: Request) {
    const typed = takeTypedEmail(request);
    return {
      ...this.emailPage(request, typed ?? ''),
      notice: takeNotice(request),
      isUnsaved: typed !== undefined,
    };
  }

  @Post()
  @UseFilters(KeepTypedEmailFilter)
  async change(
    @Req() request: Request,
    @Res() response: Response,
    @Body() form?: EmailForm,
  ): Promise<void> {
    const email = readEmail(form);
    const error = checkEmail(email);
    if (error) {
      response.status(422).render('email', this.emailPage(request, email, error));
      return;
    }
    // A real app takes it once a link in a mail to it was followed, and tells the old address.
    this.users.changeEmail(request.session.user!.id, email);
    await leaveNotice(request, 'Your e-mail address is changed.');
    response.redirect(303, '/account/email');
  }

  private emailPage(request: Request, email: string, emailError?: string) {
    return {
      ...page(request, 'E-mail address'),
      onEmail: true,
      currentEmail: this.users.emailOf(request.session.user!.id),
      email,
      emailError,
      errors: emailError && [{ field: 'email', text: emailError }],
    };
  }
}
