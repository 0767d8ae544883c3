import { promisify } from 'node:util';
import { Body, Controller, HttpCode, Module, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { IdleSessionModule, SkipIdleSession } from 'nestjs-idle-session';

// #region login
declare module 'express-session' {
  interface SessionData {
    user?: string;
    isRemembered?: boolean;
  }
}

const DAY_MS = 24 * 60 * 60_000;

@Controller('login')
@SkipIdleSession()
export class LoginController {
  @Post()
  @HttpCode(204)
  async signIn(@Req() request: Request, @Body() body: { name: string; remember?: boolean }) {
    // Check the password first.
    const { session } = request;
    await promisify(session.regenerate.bind(session))();
    request.session.user = body.name;
    if (body.remember === true) {
      request.session.isRemembered = true;
      request.session.cookie.maxAge = 30 * DAY_MS;
    }
    await promisify(request.session.save.bind(request.session))();
  }
}
// #endregion login

@Module({
  imports: [
    // #region module
    IdleSessionModule.forRoot({
      session: {
        secret: process.env.SESSION_SECRET ?? 'at least sixteen characters',
        persistentCookie: 'per-session',
        rolling: true,
      },
      idleTimeout: ({ session }) => (session.isRemembered ? '7d' : '15m'),
      absoluteTimeout: ({ session }) => (session.isRemembered ? '30d' : '12h'),
      loginUrl: '/login',
    }),
    // #endregion module
  ],
  controllers: [LoginController],
})
export class AppModule {}
