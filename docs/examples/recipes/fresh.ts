import {
  Body,
  Controller,
  Get,
  HttpCode,
  Injectable,
  Module,
  Post,
  Query,
  Req,
  Res,
  UnauthorizedException,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import {
  FreshSession,
  IdleSessionModule,
  IdleSessionService,
  safeReturnTo,
} from 'nestjs-idle-session';

// #region own
declare module 'express-session' {
  interface SessionData {
    user?: string;
  }
}

@Injectable()
export class SignedInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<Request>().session.user !== undefined;
  }
}

@Injectable()
export class Passwords {
  async isRight(user: string, password: unknown): Promise<boolean> {
    return user === 'ada' && password === 'demo';
  }
}
// #endregion own

// #region fresh
@Controller('account')
@UseGuards(SignedInGuard)
export class AccountController {
  @Post('email')
  @FreshSession('5m')
  @HttpCode(204)
  changeEmail(): void {}
}
// #endregion fresh

// #region confirm
@Controller('confirm')
@UseGuards(SignedInGuard)
export class ConfirmController {
  constructor(
    private readonly sessions: IdleSessionService,
    private readonly passwords: Passwords,
  ) {}

  @Get()
  page(@Query('returnTo') returnTo: unknown): string {
    const path = encodeURIComponent(safeReturnTo(returnTo, '/'));
    return `<!doctype html><html lang="en"><title>Confirm</title>
      <form method="post" action="/confirm?returnTo=${path}">
        <label>Password <input name="password" type="password" autocomplete="current-password"></label>
        <button>Confirm</button>
      </form>`;
  }

  @Post()
  async confirm(
    @Req() request: Request,
    @Res() response: Response,
    @Body('password') password: unknown,
    @Query('returnTo') returnTo: unknown,
  ): Promise<void> {
    // Count wrong tries here, as at the sign-in.
    if (!(await this.passwords.isRight(request.session.user!, password)))
      throw new UnauthorizedException('The password is wrong.');
    await this.sessions.confirm(request);
    response.redirect(303, safeReturnTo(returnTo, '/'));
  }
}
// #endregion confirm

@Module({
  imports: [
    // #region module
    IdleSessionModule.forRoot({
      session: { secret: process.env.SESSION_SECRET ?? 'at least sixteen characters' },
      loginUrl: '/login',
      confirmUrl: '/confirm',
    }),
    // #endregion module
  ],
  controllers: [AccountController, ConfirmController],
  providers: [Passwords],
})
export class AppModule {}
