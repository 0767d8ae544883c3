import { Controller, Get, type MessageEvent, Req, Sse, UseGuards } from '@nestjs/common';
import type { Request } from 'express';
import { PassiveRoute } from 'nestjs-idle-session';
import { map, type Observable, scan, startWith } from 'rxjs';
import { SignedInGuard } from '../auth/signed-in.guard.js';
import { SentClaims } from '../claims/sent-claims.js';
import { type Notification, notificationsFor } from './notifications.js';

/** For open pages, also for those that nobody looks at: an answer, but no sign of a person. */
@Controller('api/notifications')
@UseGuards(SignedInGuard)
@PassiveRoute()
export class NotificationsController {
  constructor(private readonly sentClaims: SentClaims) {}

  @Get()
  list(@Req() request: Request): { notifications: Notification[] } {
    return { notifications: notificationsFor(request.session.claims ?? []) };
  }

  /** The same, and again whenever the person sends a claim. The library ends it with the session. */
  @Sse('stream')
  stream(@Req() request: Request): Observable<MessageEvent> {
    const { user, claims = [] } = request.session;
    return this.sentClaims.of(user!.id).pipe(
      scan((all, claim) => [claim, ...all], claims),
      startWith(claims),
      map((all) => ({ data: { notifications: notificationsFor(all) } })),
    );
  }
}
