import {
  Body,
  Controller,
  ForbiddenException,
  Get,
  HttpCode,
  Injectable,
  Post,
  Req,
  Sse,
  UnauthorizedException,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type LoggerService,
  type ModuleMetadata,
  type NestApplicationOptions,
} from '@nestjs/common';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import type { Request } from 'express';
import expressSession from 'express-session';
import { of } from 'rxjs';
import {
  IdleSession,
  IdleSessionModule,
  IdleSessionService,
  MemoryActivityStorage,
  PassiveRoute,
  SkipIdleSession,
  type IdleSessionEvent,
  type IdleSessionModuleExtras,
  type IdleSessionModuleOptions,
  type IdleSessionStatus,
} from 'nestjs-idle-session';
import { ManualClock } from 'nestjs-idle-session/testing';
import supertest from 'supertest';
import { ExpiredSessionSweeper } from '../../libs/idle-session/src/session/expired-session.sweeper.js';
import { SECOND } from './durations.js';
import { keepConnections } from './keep-connections.js';

export { HOUR, MINUTE, SECOND } from './durations.js';

declare module 'express-session' {
  interface SessionData {
    user?: string;
    role?: string;
    note?: string;
  }
}

export const SECRET = 'a secret of more than sixteen characters';

/** Refuses whoever is not signed in, as an app's own auth guard does. */
@Injectable()
export class SignedInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    if (request.session?.user === undefined) throw new UnauthorizedException('please sign in');
    return true;
  }
}

/** Refuses everybody: by throwing, or by returning false. */
@Injectable()
class RefusingGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (context.switchToHttp().getRequest<Request>().query.how === 'throw')
      throw new ForbiddenException();
    return false;
  }
}

const settled = (run: (done: (error: unknown) => void) => void) =>
  new Promise<void>((resolve, reject) =>
    run((error) => (error ? reject(error as Error) : resolve())),
  );

@Controller()
export class TestController {
  @Post('sign-in')
  @SkipIdleSession()
  @HttpCode(200)
  async signIn(@Req() request: Request, @Body() body: { user?: string; role?: string }) {
    await settled((done) => request.session.regenerate(done));
    request.session.user = body?.user ?? 'ada';
    if (body?.role) request.session.role = body.role;
    await settled((done) => request.session.save(done));
    return { user: request.session.user };
  }

  @Post('sign-out')
  @HttpCode(204)
  async signOut(@Req() request: Request) {
    await settled((done) => request.session.destroy(done));
  }

  @Get('page')
  page(@Req() request: Request) {
    return { user: request.session?.user ?? null };
  }

  @Post('page')
  @HttpCode(200)
  submit(@Req() request: Request, @Body() body: { note?: string }) {
    request.session.note = body?.note ?? 'note';
    return {};
  }

  @Get('status-of-mine')
  statusOfMine(@IdleSession() status: IdleSessionStatus) {
    return status;
  }

  @Get('exempt')
  @SkipIdleSession()
  exempt(@Req() request: Request) {
    return { user: request.session?.user ?? null, status: request.idleSession ?? null };
  }

  @Get('poll')
  @PassiveRoute()
  poll() {
    return {};
  }

  @Sse('stream')
  stream() {
    return of({ data: 'hello' });
  }

  @Get('refused')
  @UseGuards(RefusingGuard)
  refused() {
    return {};
  }

  @Get('members')
  @UseGuards(SignedInGuard)
  members(@Req() request: Request) {
    return { user: request.session.user };
  }

  @Get('broken')
  broken() {
    throw new Error('broken on purpose');
  }
}

export interface TestAppOptions {
  /** Overrides of the module's options; `session` is merged. */
  options?: Partial<IdleSessionModuleOptions & IdleSessionModuleExtras>;
  /** Added to the app's root module. */
  metadata?: ModuleMetadata;
  /** What `main.ts` would do before the app listens. */
  configure?: (app: INestApplication) => void;
  /** How the app imports the module; default: by `forRoot()`, once. */
  importing?: (
    options: IdleSessionModuleOptions & IdleSessionModuleExtras,
  ) => ModuleMetadata['imports'];
  /** Overrides providers, as a user's tests and apps do. */
  override?: (builder: TestingModuleBuilder) => void;
  /** What `NestFactory.create()` would be given. */
  appOptions?: NestApplicationOptions;
  /** Whether the app ends sessions each second, by the real clock, too; default: only when a test sweeps. */
  sweeps?: boolean;
  /** Where logs go; default: errors to the console. */
  logger?: LoggerService;
}

export interface TestApp {
  app: INestApplication;
  clock: ManualClock;
  storage: MemoryActivityStorage;
  sessions: IdleSessionService;
  /** What happened, in order. */
  events: IdleSessionEvent[];
  /** A browser's worth of cookies. */
  browser: () => ReturnType<typeof supertest.agent>;
  /** Somebody signed in. */
  signedIn: (body?: {
    user?: string;
    role?: string;
  }) => Promise<ReturnType<typeof supertest.agent>>;
}

/** An app on memory with a clock that the test moves. Close `app` afterwards. */
export async function createTestApp({
  options = {},
  metadata = {},
  configure,
  importing = (all) => [IdleSessionModule.forRoot(all)],
  override,
  appOptions,
  sweeps = false,
  logger,
}: TestAppOptions = {}): Promise<TestApp> {
  const clock = new ManualClock();
  const storage = new MemoryActivityStorage({ now: clock.now });
  const builder = Test.createTestingModule({
    ...metadata,
    imports: [
      ...(metadata.imports ?? []),
      ...(importing({
        storage,
        // Of a storage in this process, only a machine that stands still keeps an answer back.
        storageTimeout: 20 * SECOND,
        ...options,
        session: { secret: SECRET, store: new expressSession.MemoryStore(), ...options.session },
      }) ?? []),
    ],
    controllers: [TestController, ...(metadata.controllers ?? [])],
  });
  if (logger) builder.setLogger(logger);
  override?.(builder);
  const module = await builder.compile();
  if (!sweeps) module.get(ExpiredSessionSweeper, { strict: false }).start = () => {};
  const app = module.createNestApplication(appOptions);
  keepConnections(app.getHttpServer());
  configure?.(app);
  await app.init();
  const sessions = app.get(IdleSessionService);
  const events: IdleSessionEvent[] = [];
  sessions.events.subscribe((event) => events.push(event));
  const browser = () => supertest.agent(app.getHttpServer());
  return {
    app,
    clock,
    storage,
    sessions,
    events,
    browser,
    async signedIn(body = {}) {
      const agent = browser();
      await agent.post('/sign-in').send(body).expect(200);
      return agent;
    },
  };
}
