import { Controller, Get, Query, Render, Req } from '@nestjs/common';
import type { Request } from 'express';
import { IdleSession, type IdleSessionStatus } from 'nestjs-idle-session';
import { SignedInPage } from '../auth/signed-in-page.js';
import { inWords } from '../in-words.js';
import { notificationsFor } from '../notifications/notifications.js';
import { page } from '../page.js';

const DAY = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });

@Controller()
@SignedInPage()
export class DashboardController {
  @Get()
  @Render('dashboard')
  show(
    @Req() request: Request,
    @IdleSession() { expiresInMs, absoluteExpiresInMs }: IdleSessionStatus,
    @Query('sent') sent: unknown,
  ) {
    const { claims = [] } = request.session;
    return {
      ...page(request, 'Overview'),
      onOverview: true,
      claims: claims.map((claim) => ({ ...claim, day: DAY.format(new Date(claim.sentOn)) })),
      notifications: notificationsFor(claims),
      sent: claims.find(({ reference }) => reference === sent)?.reference,
      timeLeft: inWords(expiresInMs ?? 0),
      signedInFor: absoluteExpiresInMs === null ? undefined : inWords(absoluteExpiresInMs),
    };
  }
}
