import { setTimeout as delay } from 'node:timers/promises';
import {
  Controller,
  Get,
  HttpCode,
  Injectable,
  Post,
  Req,
  UnauthorizedException,
  UseGuards,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { RedisStore } from 'connect-redis';
import type { Request } from 'express';
import { SkipIdleSession } from 'nestjs-idle-session';
import type { Observable } from 'rxjs';
import type { RedisClient } from '../../test/support/redis-server.js';
import { listen, plainSession, type ListeningApp } from './app.js';
import { oursOnRedis } from './ours.js';

export const KINDS = {
  rolling: 'express-session, `rolling: true`',
  lastSeen: '`lastSeen` in the session',
  ours: 'ours',
} as const;
export type Kind = keyof typeof KINDS;

/** A small app that people sign in to, with one of the ways to end idle sessions. */
export function openDesk(
  kind: Kind,
  client: RedisClient,
  idleTimeoutMs: number,
): Promise<ListeningApp> {
  const controllers = [DeskController];
  if (kind === 'ours') {
    const options = { idleTimeout: idleTimeoutMs, warnBefore: false } as const;
    return listen({ controllers, imports: [oursOnRedis({ client, prefix: 'ours:', options })] });
  }
  const store = new RedisStore({ client, prefix: `${kind}:` });
  if (kind === 'rolling') {
    const cookie = { maxAge: idleTimeoutMs };
    return listen({ controllers }, plainSession({ store, rolling: true, cookie }));
  }
  return listen(
    {
      controllers,
      providers: [
        { provide: APP_GUARD, useValue: new LastSeenGuard(idleTimeoutMs) },
        { provide: APP_INTERCEPTOR, useClass: LastSeenInterceptor },
      ],
    },
    plainSession({ store }),
  );
}

@Injectable()
class SignedInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (requestOf(context).session?.user === undefined) throw new UnauthorizedException();
    return true;
  }
}

@Controller()
class DeskController {
  @Post('sign-in')
  @SkipIdleSession()
  @HttpCode(200)
  async signIn(@Req() request: Request) {
    await settled((done) => request.session.regenerate(done));
    request.session.user = 'ada';
    request.session.lastSeen = Date.now();
    await settled((done) => request.session.save(done));
    return {};
  }

  @Post('sign-out')
  @HttpCode(204)
  async signOut(@Req() request: Request) {
    await settled((done) => request.session.destroy(done));
  }

  @Get('page')
  @UseGuards(SignedInGuard)
  async page() {
    await delay(PAGE_MS);
    return {};
  }

  /** Takes its time, then writes to the session. */
  @Post('slow')
  @HttpCode(200)
  @UseGuards(SignedInGuard)
  async slow(@Req() request: Request) {
    await delay(SLOW_MS);
    request.session.note = 'written late';
    return {};
  }
}

/** How long a page takes: a query or two. */
const PAGE_MS = 5;
/** How long a slow request takes. */
export const SLOW_MS = 60;

/** Ends sessions that were not used for too long, by this server's clock. */
class LastSeenGuard implements CanActivate {
  constructor(private readonly idleTimeoutMs: number) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { session } = requestOf(context);
    if (Date.now() - (session.lastSeen ?? Infinity) < this.idleTimeoutMs) return true;
    if (session.user === undefined) return true;
    await settled((done) => session.destroy(done));
    throw new UnauthorizedException();
  }
}

@Injectable()
class LastSeenInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { session } = requestOf(context);
    if (session.user !== undefined) session.lastSeen = Date.now();
    return next.handle();
  }
}

function requestOf(context: ExecutionContext): Request {
  return context.switchToHttp().getRequest<Request>();
}

function settled(run: (done: (error: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    run((error) => (error ? reject(error as Error) : resolve()));
  });
}
