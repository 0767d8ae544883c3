import {
  Body,
  Controller,
  Get,
  Injectable,
  Module,
  Post,
  Query,
  Req,
  Res,
  UnauthorizedException,
  UnprocessableEntityException,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import {
  AllowLocked,
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

/** The tries of each person since the last right one, or since too many ended the session. For several processes, count in Redis or in your database. */
@Injectable()
export class Tries {
  private readonly counts = new Map<string, number>();

  count(user: string): number {
    const count = (this.counts.get(user) ?? 0) + 1;
    this.counts.set(user, count);
    return count;
  }

  clear(user: string): void {
    this.counts.delete(user);
  }
}
// #endregion own

// #region unlock
const TRIES_ALLOWED = 5;

@Controller('unlock')
@AllowLocked()
@UseGuards(SignedInGuard)
export class UnlockController {
  constructor(
    private readonly sessions: IdleSessionService,
    private readonly passwords: Passwords,
    private readonly tries: Tries,
  ) {}

  @Get()
  page(@Query('returnTo') returnTo: unknown): string {
    const path = encodeURIComponent(safeReturnTo(returnTo, '/'));
    return `<!doctype html><html lang="en"><title>Locked</title>
      <form method="post" action="/unlock?returnTo=${path}">
        <label>Password <input name="password" type="password" autocomplete="current-password"></label>
        <button>Unlock</button>
      </form>`;
  }

  @Post()
  async unlock(
    @Req() request: Request,
    @Res() response: Response,
    @Body('password') password: unknown,
    @Query('returnTo') returnTo: unknown,
  ): Promise<void> {
    const user = request.session.user!;
    // Counted before the password is checked: many guesses may be sent at once.
    if (this.tries.count(user) > TRIES_ALLOWED) {
      await this.sessions.end(request);
      this.tries.clear(user);
      throw new UnauthorizedException('There were too many tries. Please sign in again.');
    }
    if (!(await this.passwords.isRight(user, password)))
      throw new UnprocessableEntityException('The password is wrong.');
    this.tries.clear(user);
    if (!(await this.sessions.unlock(request)))
      throw new UnauthorizedException('You have been signed out meanwhile.');
    // A form within the locked page sends no way back, since the person never left.
    if (returnTo === undefined) response.sendStatus(204);
    else response.redirect(303, safeReturnTo(returnTo, '/'));
  }
}
// #endregion unlock

// #region sign-out
@Controller('leave')
export class LeaveController {
  constructor(private readonly sessions: IdleSessionService) {}

  @Post()
  @AllowLocked()
  async leave(@Req() request: Request, @Res() response: Response): Promise<void> {
    await this.sessions.end(request);
    response.redirect(303, '/login');
  }
}
// #endregion sign-out

@Module({
  imports: [
    // #region module
    IdleSessionModule.forRoot({
      session: { secret: process.env.SESSION_SECRET ?? 'at least sixteen characters' },
      idleTimeout: '1h',
      lockAfter: '15m',
      loginUrl: '/login',
      unlockUrl: '/unlock',
    }),
    // #endregion module
  ],
  controllers: [UnlockController, LeaveController],
  providers: [Passwords, Tries],
})
export class AppModule {}
