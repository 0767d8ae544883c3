import { Controller, Get, Req, UseGuards } from '@nestjs/common';
import type { Request } from 'express';
import { SignedInGuard } from './signed-in.guard.js';
import type { User } from './user.js';

@Controller('api/me')
@UseGuards(SignedInGuard)
export class MeController {
  @Get()
  me(@Req() request: Request): User | undefined {
    return request.session.user;
  }
}
