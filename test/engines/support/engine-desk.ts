import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import { IdleSessionService, MemoryActivityStorage } from 'nestjs-idle-session';
import supertest from 'supertest';
import { Users } from '../../../apps/sample/src/auth/users.js';
import { createApp } from '../../../apps/sample/src/create-app.js';
import { readSettings } from '../../../apps/sample/src/settings.js';
import { rememberPasswords } from '../../browser/support/remember-passwords.js';
import { cookiesOf, sessionIdOf } from '../../support/cookies.js';
import { keepConnections } from '../../support/keep-connections.js';
import { PAGES } from './pages.js';

/** The sample app. To its server, time goes on as to the browsers, and leaps when the test says so. */
export class EngineDesk {
  /** What pages have asked for. */
  readonly requests: string[] = [];
  /** Whether the server does not answer. */
  isDown = false;
  private leapt = 0;
  private app!: NestExpressApplication;
  private insecure!: Server;

  private constructor() {}

  static async start(): Promise<EngineDesk> {
    Logger.overrideLogger(false);
    const desk = new EngineDesk();
    const now = () => Date.now() + desk.leapt;
    const settings = readSettings({
      SESSION_SECRET: 'a secret for the tests',
      ABSOLUTE_TIMEOUT: '1h',
    });
    desk.app = await createApp(settings, { storage: new MemoryActivityStorage({ now }) });
    rememberPasswords(desk.app.get(Users));
    desk.addRoutes();
    keepConnections(desk.app.getHttpServer());
    await desk.app.listen(0, '127.0.0.1');
    desk.insecure = createServer(desk.app.getHttpAdapter().getInstance() as RequestListener);
    keepConnections(desk.insecure);
    await once(desk.insecure.listen(0, hostname()), 'listening');
    return desk;
  }

  get url(): string {
    return `http://127.0.0.1:${portOf(this.app.getHttpServer())}`;
  }

  /** The same by the machine's name: without https that is not secure to a browser, as its number is. */
  get insecureUrl(): string {
    return `http://${hostname()}:${portOf(this.insecure)}`;
  }

  /** So much later, to the server alone. */
  leap(milliseconds: number): void {
    this.leapt += milliseconds;
  }

  /** Signs somebody in; resolves to the `Cookie` header that is theirs from now on. */
  async signIn(): Promise<string> {
    const form = { username: 'demo', password: 'demo' };
    return cookiesOf(await supertest(this.url).post('/login').type('form').send(form).expect(303));
  }

  /** What the server says is left. */
  async expiresInMs(cookie: string): Promise<number> {
    const response = await supertest(this.url).get('/idle-session/status').set('Cookie', cookie);
    return (response.body as { expiresInMs: number }).expiresInMs;
  }

  /** Does something with somebody's session. */
  async act(cookie: string): Promise<void> {
    const heartbeat = supertest(this.url).post('/idle-session/heartbeat').send({ idleForMs: 0 });
    await heartbeat.set('Cookie', cookie).expect(200);
  }

  /** Ends somebody's session for them. */
  async revoke(cookie: string): Promise<void> {
    await this.app.get(IdleSessionService).revoke(sessionIdOf(cookie));
  }

  async close(): Promise<void> {
    this.insecure.close();
    this.insecure.closeAllConnections();
    // Browsers keep connections, and open some ahead.
    const closing = setInterval(() => this.app.getHttpServer().closeAllConnections(), 10);
    await this.app.close().finally(() => clearInterval(closing));
  }

  private addRoutes(): void {
    this.app.use((request: Request, _: Response, next: NextFunction) => {
      if (this.isDown) return void request.socket.destroy();
      // What the test itself asks for is without.
      if (request.headers['sec-fetch-site'])
        this.requests.push(`${request.method} ${request.path}`);
      next();
    });
    // As a proxy may do it that wants a password of its own.
    this.app.use('/refused', (_: Request, response: Response) => response.status(401).end());
    this.app.use('/enter', ({ query }: Request, response: Response) => {
      const { cookie, path } = query as { cookie: string; path: string };
      response.setHeader('Set-Cookie', `${cookie}; HttpOnly; SameSite=Lax; Path=/`);
      response.redirect(303, path);
    });
    for (const [path, [type, text]] of Object.entries(PAGES))
      this.app.use(path, (_: Request, response: Response) => response.type(type).send(text));
  }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
