import { Controller, Get, Param, Post, Redirect, Render, Req } from '@nestjs/common';
import type { Request } from 'express';
import { FreshSession, IdleSessionService } from 'nestjs-idle-session';
import { SignedInPage } from '../auth/signed-in-page.js';
import { leaveNotice, takeNotice } from '../notice.js';
import { page } from '../page.js';
import { deviceOf } from './device.js';

/** Where the person is signed in. To sign others out takes a recent proof: OWASP ASVS 5.0, 7.5.2. */
@Controller('devices')
@SignedInPage()
export class DevicesController {
  constructor(private readonly sessions: IdleSessionService) {}

  @Get()
  @Render('devices')
  async show(@Req() request: Request) {
    const sessions = await this.sessions.list(ownerOf(request), { current: request });
    const isCurrent = sessions.filter(({ current }) => current);
    const others = sessions.filter(({ current }) => !current);
    return {
      ...page(request, 'Your devices'),
      onDevices: true,
      notice: takeNotice(request),
      devices: [...isCurrent, ...others].map(deviceOf),
      hasOthers: others.length > 0,
    };
  }

  @Post(':ref/sign-out')
  @FreshSession('5m')
  @Redirect('/devices', 303)
  async signOut(@Req() request: Request, @Param('ref') ref: string): Promise<void> {
    const owner = ownerOf(request);
    // With the owner, or a person could sign out others whose reference they have seen.
    const isEnded = await this.sessions.endByRef(ref, { owner, by: owner });
    await leaveNotice(request, isEnded ? 'It is signed out.' : 'It was signed out already.');
  }

  @Post('sign-out-others')
  @FreshSession('5m')
  @Redirect('/devices', 303)
  async signOutOthers(@Req() request: Request): Promise<void> {
    const owner = ownerOf(request);
    await this.sessions.endAll(owner, { except: request, by: owner });
    await leaveNotice(request, 'All others are signed out.');
  }
}

function ownerOf({ session }: Request): string {
  return session.user!.id;
}
