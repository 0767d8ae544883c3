import { Controller, Get, Req, UseGuards } from '@nestjs/common';
import type { Request } from 'express';
import { PassiveRoute } from 'nestjs-idle-session';
import { SignedInGuard } from '../auth/signed-in.guard.js';
import { type Notification, notificationsFor } from './notifications.js';

/** Polled by open pages, also by those that nobody looks at: an answer, but no sign of a person. */
@Controller('api/notifications')
@UseGuards(SignedInGuard)
@PassiveRoute()
export class NotificationsController {
  @Get()
  list(@Req() request: Request): { notifications: Notification[] } {
    return { notifications: notificationsFor(request.session.claims ?? []) };
  }
}
