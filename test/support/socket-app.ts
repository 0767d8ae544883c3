import type { INestApplication } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  type OnGatewayConnection,
} from '@nestjs/websockets';
import type { Request } from 'express';
import {
  FreshSession,
  IdleSession,
  IdleSessionGateway,
  IdleSessionService,
  PassiveRoute,
  SkipIdleSession,
  type AttachOptions,
  type IdleSessionStatus,
} from 'nestjs-idle-session';
import type { WebSocket } from 'ws';
import { ConfirmController } from './confirm-controller.js';
import { cookiesOf } from './cookies.js';
import type { Browser } from './requests.js';
import { SocketClient } from './socket-client.js';
import type { TestApp, TestAppOptions } from './test-app.js';
import { testApps } from './test-apps.js';
import { until } from './until.js';

@IdleSessionGateway()
@WebSocketGateway({ path: '/claims' })
export class ClaimsGateway implements OnGatewayConnection {
  /** What `attach()` is given. */
  options: AttachOptions = {};
  /** The sockets that were let in. */
  readonly members: WebSocket[] = [];
  /** What the handlers were called with. */
  readonly handled: string[] = [];
  private readonly handshakes = new WeakMap<WebSocket, Request>();

  constructor(private readonly sessions: IdleSessionService) {}

  async handleConnection(client: WebSocket, request: Request) {
    this.handshakes.set(client, request);
    if (await this.sessions.attach(client, request, this.options)) this.members.push(client);
  }

  @SubscribeMessage('edit')
  edit(@MessageBody() data: string, @IdleSession() status: IdleSessionStatus) {
    this.handled.push(data);
    return { event: 'edited', data: status.state };
  }

  @SubscribeMessage('note')
  note(@ConnectedSocket() client: WebSocket) {
    return { event: 'noted', data: this.handshakes.get(client)!.session.note };
  }

  @PassiveRoute()
  @SubscribeMessage('poll')
  poll() {
    return { event: 'polled', data: null };
  }

  @FreshSession('5m')
  @SubscribeMessage('transfer')
  transfer() {
    return { event: 'transferred', data: null };
  }

  @SkipIdleSession()
  @SubscribeMessage('ping')
  ping() {
    return { event: 'pong', data: null };
  }
}

/** Attaches no socket. */
@IdleSessionGateway()
@WebSocketGateway({ path: '/forgotten' })
class ForgottenGateway {
  @SubscribeMessage('edit')
  edit() {
    return { event: 'edited', data: null };
  }

  @SkipIdleSession()
  @SubscribeMessage('ping')
  ping() {
    return { event: 'pong', data: null };
  }
}

export interface SocketApp extends TestApp {
  gateway: ClaimsGateway;
}

/** What makes an app one with gateways on `ws`. */
export const withGateways = {
  metadata: {
    providers: [ClaimsGateway, ForgottenGateway],
    controllers: [ConfirmController],
  },
  configure: (app: INestApplication) => void app.useWebSocketAdapter(new WsAdapter(app)),
};

/** Apps with gateways on `ws` that listen, and are closed after each test. */
export function socketApps(): (options?: TestAppOptions) => Promise<SocketApp> {
  const start = testApps();
  return async (options = {}) => {
    const test = await start({
      ...options,
      ...withGateways,
      metadata: {
        ...withGateways.metadata,
        providers: [...withGateways.metadata.providers, ...(options.metadata?.providers ?? [])],
        controllers: [
          ...withGateways.metadata.controllers,
          ...(options.metadata?.controllers ?? []),
        ],
      },
      configure: (app) => {
        withGateways.configure(app);
        options.configure?.(app);
      },
    });
    await test.app.listen(0, '127.0.0.1');
    return { ...test, gateway: test.app.get(ClaimsGateway) };
  };
}

/** A browser that is signed in, and its cookie. */
export async function signIn(test: TestApp): Promise<{ browser: Browser; Cookie: string }> {
  const browser = test.browser();
  const Cookie = cookiesOf(await browser.post('/sign-in').expect(200));
  return { browser, Cookie };
}

/** Opens a socket, which the app may refuse later. */
export function open(
  test: Pick<TestApp, 'app'>,
  headers: Record<string, string> = {},
): Promise<SocketClient> {
  return SocketClient.open(test, '/claims', headers);
}

/** Opens a socket, and waits until the app has let it in. */
export async function join(
  test: Pick<SocketApp, 'app' | 'gateway'>,
  headers: Record<string, string>,
): Promise<SocketClient> {
  const { members } = test.gateway;
  const count = members.length;
  const client = await open(test, headers);
  await until('the socket is let in', () => members.length > count);
  return client;
}
