import {
  Catch,
  Controller,
  Delete,
  Get,
  HttpCode,
  Module,
  NotFoundException,
  Param,
  Post,
  Req,
  UnauthorizedException,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { Request, Response } from 'express';
import {
  IdleSessionModule,
  IdleSessionService,
  TooManySessionsException,
} from 'nestjs-idle-session';

declare module 'express-session' {
  interface SessionData {
    user?: string;
  }
}

// #region controller
@Controller('account')
export class DevicesController {
  constructor(private readonly sessions: IdleSessionService) {}

  @Get('devices')
  list(@Req() request: Request) {
    return this.sessions.list(userOf(request), { current: request });
  }

  @Delete('devices/:ref')
  @HttpCode(204)
  async end(@Req() request: Request, @Param('ref') ref: string) {
    const owner = userOf(request);
    // The owner keeps a person from ending the sessions of others.
    const isEnded = await this.sessions.endByRef(ref, { owner, by: owner });
    if (!isEnded) throw new NotFoundException();
  }

  @Post('password')
  async changePassword(@Req() request: Request) {
    const owner = userOf(request);
    // …
    return { signedOut: await this.sessions.endAll(owner, { except: request, by: owner }) };
  }
}

function userOf({ session }: Request): string {
  if (!session?.user) throw new UnauthorizedException();
  return session.user;
}
// #endregion controller

// #region filter
@Catch(TooManySessionsException)
export class TooManySessionsFilter implements ExceptionFilter {
  catch({ maxSessions }: TooManySessionsException, host: ArgumentsHost) {
    const response = host.switchToHttp().getResponse<Response>();
    response.redirect(303, `/login?full=${maxSessions}`);
  }
}
// #endregion filter

@Module({
  imports: [
    // #region options
    IdleSessionModule.forRoot({
      session: { secret: process.env.SESSION_SECRET ?? 'at least sixteen characters' },
      ownerOf: (request) => request.session.user,
      describe: (request) => ({ browser: (request.get('User-Agent') ?? '').slice(0, 200) }),
      maxSessions: 3,
      sessionsEndpoint: true,
    }),
    // #endregion options
  ],
  controllers: [DevicesController],
})
export class AppModule {}

@Module({
  imports: [
    IdleSessionModule.forRoot({
      session: { secret: process.env.SESSION_SECRET ?? 'at least sixteen characters' },
      ownerOf: (request) => request.session.user,
      // #region refuse
      maxSessions: 3,
      onMaxSessions: 'refuse',
      // #endregion refuse
    }),
  ],
  providers: [{ provide: APP_FILTER, useClass: TooManySessionsFilter }],
})
export class RefusingModule {}
