import { promisify } from 'node:util';
import {
  Controller,
  Get,
  HttpCode,
  Injectable,
  Module,
  Post,
  Req,
  UnauthorizedException,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuthGuard, PassportModule, PassportSerializer, PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import { IdleSessionModule, IdleSessionService, SkipIdleSession } from 'nestjs-idle-session';
import passport, { Strategy } from 'passport';

// #region session
declare module 'express-session' {
  interface SessionData {
    /** Passport writes it at sign-in, and takes `user` out at sign-out. */
    passport?: { user?: unknown };
  }
}
// #endregion session

/** In the place of passport-local, or of any other strategy. */
class DemoStrategy extends Strategy {
  override authenticate(request: Request): void {
    const { name, password } = (request.body ?? {}) as { name?: string; password?: string };
    if (name && password === 'demo') this.success({ name });
    else this.fail(401);
  }
}

@Injectable()
class NestDemoStrategy extends PassportStrategy(DemoStrategy, 'demo') {
  validate(): never {
    throw new Error('The strategy verifies by itself.');
  }
}

// #region serializer
@Injectable()
export class UserSerializer extends PassportSerializer {
  serializeUser(user: { name: string }, done: (error: unknown, id: string) => void): void {
    done(null, user.name);
  }

  deserializeUser(id: string, done: (error: unknown, user: { name: string }) => void): void {
    done(null, { name: id });
  }
}
// #endregion serializer

// #region login
/** Asks the strategy, then signs the person in: request.logIn() gives the session a new id and saves it. */
@Injectable()
export class LoginGuard extends AuthGuard('demo') {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const accepted = (await super.canActivate(context)) as boolean;
    await super.logIn(context.switchToHttp().getRequest<Request>());
    return accepted;
  }
}

@Controller()
export class LoginController {
  @Post('logout')
  @HttpCode(204)
  async logout(@Req() request: Request): Promise<void> {
    await promisify(request.logOut.bind(request))();
  }

  @Post('login')
  @SkipIdleSession()
  @HttpCode(200)
  @UseGuards(LoginGuard)
  login(@Req() request: Request) {
    return request.user;
  }
}
// #endregion login

// #region guard
@Injectable()
export class SignedInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (context.switchToHttp().getRequest<Request>().isAuthenticated()) return true;
    throw new UnauthorizedException();
  }
}

@Controller('me')
@UseGuards(SignedInGuard)
export class MeController {
  @Get()
  me(@Req() request: Request) {
    return request.user;
  }
}
// #endregion guard

@Module({
  imports: [
    PassportModule.register({ session: true }),
    // #region applies-to
    IdleSessionModule.forRoot({
      session: { secret: process.env.SESSION_SECRET ?? 'at least sixteen characters' },
      appliesTo: ({ session }) => session.passport?.user !== undefined,
    }),
    // #endregion applies-to
  ],
  controllers: [LoginController, MeController],
  providers: [NestDemoStrategy, UserSerializer],
})
export class AppModule {}

export async function start() {
  // #region main
  const app = await NestFactory.create(AppModule);
  app.use(app.get(IdleSessionService).middleware());
  app.use(passport.session());
  // #endregion main
  return app;
}
