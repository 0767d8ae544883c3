import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import {
  Body,
  Controller,
  Get,
  Header,
  Module,
  Post,
  Query,
  Redirect,
  Req,
  UnauthorizedException,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Request } from 'express';
import {
  IdleSession,
  IdleSessionModule,
  IdleSessionService,
  safeReturnTo,
  SkipIdleSession,
  type IdleSessionStatus,
} from 'nestjs-idle-session';

declare module 'express-session' {
  interface SessionData {
    user?: string;
  }
}

/** Keeps strangers out. The module does not: it ends sessions, and a stranger has none. */
class SignedInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (context.switchToHttp().getRequest<Request>().session.user) return true;
    throw new UnauthorizedException();
  }
}

const MESSAGES = new Map<unknown, string>([
  ['idle', 'For your security, we signed you out because you were inactive.'],
  ['absolute', 'For your security, we ask for your password again from time to time.'],
  ['signed-out', 'You have signed out.'],
  ['wrong-password', 'The password is wrong.'],
]);

const escape = (text: string) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
const page = (body: string) => `<!doctype html><html lang="en"><title>Minimal</title>${body}`;

@Controller()
@SkipIdleSession()
class LoginController {
  constructor(private readonly sessions: IdleSessionService) {}

  @Get('login')
  form(
    @Query('reason') reason: unknown,
    @Query('returnTo') returnTo: unknown,
    @IdleSession() status?: IdleSessionStatus,
  ): string {
    // A redirect brings the reason in the address. A person who opens this page directly brings it in the session.
    const message = MESSAGES.get(reason ?? status?.reason) ?? 'Please sign in.';
    return page(`<p role="status">${message}</p>
      <form method="post" action="/login">
        <label>Password (demo) <input type="password" name="password" /></label>
        <input type="hidden" name="returnTo" value="${escape(safeReturnTo(returnTo, '/account'))}" />
        <button>Sign in</button>
      </form>`);
  }

  @Post('login')
  @Redirect()
  async signIn(@Req() request: Request, @Body() form: Record<string, unknown> = {}) {
    const returnTo = safeReturnTo(form.returnTo, '/account');
    if (form.password !== 'demo') {
      const query = new URLSearchParams({ reason: 'wrong-password', returnTo });
      return { url: `/login?${query}`, statusCode: 303 };
    }
    // A new session id, so that an id from before the sign-in is worth nothing.
    await promisify(request.session.regenerate.bind(request.session))();
    request.session.user = 'demo';
    // Saved before the redirect, so that the browser is not faster than the store.
    await promisify(request.session.save.bind(request.session))();
    return { url: returnTo, statusCode: 303 };
  }

  @Post('logout')
  @Redirect('/login?reason=signed-out', 303)
  async signOut(@Req() request: Request): Promise<void> {
    await this.sessions.end(request);
  }
}

@Controller('account')
@UseGuards(SignedInGuard)
class AccountController {
  @Get()
  @Header('Cache-Control', 'no-store')
  show(@Req() request: Request): string {
    return page(`<h1>Hello, ${escape(request.session.user ?? '')}</h1>
      <p>You will be signed out after a minute without activity.</p>
      <form method="post" action="/logout"><button>Sign out</button></form>
      <script type="module" src="/idle-session/client.js"></script>`);
  }
}

@Module({
  imports: [
    IdleSessionModule.forRoot({
      idleTimeout: '1m', // short, to see a session end; the default is '15m'
      warnBefore: '30s',
      session: { secret: process.env.SESSION_SECRET ?? randomBytes(32).toString('hex') },
      loginUrl: '/login',
    }),
  ],
  controllers: [LoginController, AccountController],
})
export class AppModule {}

async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  await app.listen(process.env.PORT ?? 3000);
}
void bootstrap();
