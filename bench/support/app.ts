import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Controller,
  Get,
  Injectable,
  Module,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type ModuleMetadata,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import type { RequestHandler } from 'express';
import expressSession, { type SessionOptions } from 'express-session';
import type { Observable } from 'rxjs';
import { COOKIE_NAME, SECRET } from './sessions.js';

@Controller()
class PageController {
  /** The one route that all variants answer. */
  @Get('page')
  page() {
    return { id: 4711, title: 'A claim', state: 'open' };
  }
}

@Injectable()
export class NoopGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Injectable()
export class NoopInterceptor implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

export const noopGuard = { provide: APP_GUARD, useClass: NoopGuard };
export const noopInterceptor = { provide: APP_INTERCEPTOR, useClass: NoopInterceptor };

/** A Nest app that listens on a unix socket of its own. Always `closeApps()` in the end. */
export interface ListeningApp {
  readonly app: INestApplication;
  readonly socketPath: string;
}

const open: INestApplication[] = [];
let directory: string | undefined;

export function listen(
  metadata: ModuleMetadata,
  ...middleware: RequestHandler[]
): Promise<ListeningApp> {
  return listenWith(metadata, (app) => {
    if (middleware.length > 0) app.use(...middleware);
  });
}

/** @param configure what `main.ts` would do before the app listens */
export async function listenWith(
  metadata: ModuleMetadata,
  configure: (app: INestApplication) => void,
): Promise<ListeningApp> {
  @Module({})
  class RootModule {}
  const app = await NestFactory.create(
    { module: RootModule, controllers: [PageController], ...metadata },
    { logger: false, abortOnError: false, forceCloseConnections: true },
  );
  open.push(app);
  configure(app);
  const socketPath = newSocketPath();
  const server = (await app.listen(socketPath)) as Server;
  // None is closed just as a client uses it again.
  server.keepAliveTimeout = 0;
  return { app, socketPath };
}

export async function closeApps(): Promise<void> {
  await Promise.all(open.splice(0).map((app) => app.close()));
  if (directory) rmSync(directory, { recursive: true, force: true });
  directory = undefined;
}

function newSocketPath(): string {
  directory ??= mkdtempSync(join(tmpdir(), 'bench-'));
  return join(directory, `${open.length}.sock`);
}

/** express-session as its README recommends it. */
export function plainSession(options: Partial<SessionOptions>): RequestHandler {
  return expressSession({
    secret: SECRET,
    name: COOKIE_NAME,
    resave: false,
    saveUninitialized: false,
    ...options,
  });
}
