import {
  Controller,
  Get,
  HttpCode,
  Module,
  Post,
  Req,
  UnauthorizedException,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Request } from 'express';
import { IdleSessionModule, SkipIdleSession } from 'nestjs-idle-session';

declare module 'express-session' {
  interface SessionData {
    user?: string;
  }
}

@Controller()
export class ClaimsController {
  @Post('sign-in')
  @SkipIdleSession()
  @HttpCode(204)
  async signIn(@Req() request: Request): Promise<void> {
    await new Promise((resolve) => request.session.regenerate(resolve));
    request.session.user = 'ada';
  }

  @Get('claims')
  claims(@Req() { session }: Request) {
    if (session.user === undefined) throw new UnauthorizedException();
    return [{ policyholder: session.user }];
  }
}

// #region module
/** Where the pages are. Each environment has its own list. */
const origins = ['https://app.example.com'];

@Module({
  imports: [
    IdleSessionModule.forRoot({
      origins,
      session: { secret: process.env.SESSION_SECRET ?? 'at least sixteen characters' },
      loginUrl: '/sign-in',
      ownerOf: ({ session }) => session.user,
    }),
  ],
  controllers: [ClaimsController],
})
export class AppModule {}
// #endregion module

export async function start(): Promise<NestExpressApplication> {
  // #region main
  const app = await NestFactory.create<NestExpressApplication>(AppModule);
  app.set('trust proxy', 1);
  app.enableCors({ origin: origins, credentials: true });
  app.enableCsrfProtection({ trustedOrigins: origins });
  // #endregion main
  return app;
}
