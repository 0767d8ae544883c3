import type { Socket as TcpSocket } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  type OnGatewayConnection,
} from '@nestjs/websockets';
import type { Request } from 'express';
import {
  IdleSession,
  IdleSessionGateway,
  IdleSessionService,
  PassiveRoute,
  type IdleSessionStatus,
} from 'nestjs-idle-session';
import type { Server, Socket as ServerSocket } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import { connectionsOf } from '../support/connections.js';
import { PATIENCE_MS } from '../support/durations.js';
import { statusOf } from '../support/requests.js';
import { REFUSED_HANDSHAKES } from '../support/refused-handshakes.js';
import { signIn } from '../support/socket-app.js';
import { hostOf } from '../support/socket-client.js';
import { MINUTE, SECOND, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';
import { unlessStoodStill } from '../support/unless-stood-still.js';
import { until } from '../support/until.js';

@IdleSessionGateway()
@WebSocketGateway()
class ClaimsGateway implements OnGatewayConnection {
  @WebSocketServer()
  server!: Server;
  readonly handled: string[] = [];

  constructor(private readonly sessions: IdleSessionService) {}

  async handleConnection(client: ServerSocket) {
    if (await this.sessions.attach(client, client.request)) await client.join('members');
  }

  @SubscribeMessage('edit')
  edit(@MessageBody() data: string, @IdleSession() status: IdleSessionStatus) {
    this.handled.push(data);
    return status.state;
  }

  @SubscribeMessage('note')
  note(@ConnectedSocket() client: ServerSocket) {
    return (client.request as Request).session.note;
  }

  @PassiveRoute()
  @SubscribeMessage('poll')
  poll() {
    return 'polled';
  }
}

/** Other messages, over the same connection. */
@IdleSessionGateway()
@WebSocketGateway({ namespace: '/admin' })
class AdminGateway implements OnGatewayConnection {
  constructor(private readonly sessions: IdleSessionService) {}

  handleConnection(client: ServerSocket) {
    return this.sessions.attach(client, client.request);
  }

  @SubscribeMessage('edit')
  edit() {
    return 'edited';
  }
}

/** Attaches no socket. */
@IdleSessionGateway()
@WebSocketGateway({ namespace: '/forgotten' })
class ForgottenGateway {
  @SubscribeMessage('edit')
  edit() {
    return 'edited';
  }
}

const startApp = testApps();
const sockets: Socket[] = [];
afterEach(() => sockets.splice(0).forEach((socket) => socket.close()));

async function start(options: TestAppOptions = {}): Promise<TestApp & { gateway: ClaimsGateway }> {
  const providers = [ClaimsGateway, AdminGateway, ForgottenGateway];
  const test = await startApp({ ...options, metadata: { providers } });
  await test.app.listen(0, '127.0.0.1');
  const gateway = test.app.get(ClaimsGateway);
  // Else engine.io would keep the process for half a minute, for pollers that are gone.
  gateway.server.engine.on('connection', ({ transport }: { transport: object }) =>
    Object.assign(transport, { closeTimeout: 10 }),
  );
  return { ...test, gateway };
}

interface Client {
  readonly socket: Socket;
  /** Each event that the server sent, with its data. */
  readonly received: unknown[][];
  /** Why the client says that it is disconnected. */
  readonly disconnected: Promise<string>;
  ask(event: string, data?: unknown): Promise<unknown>;
}

function follow(socket: Socket): Client {
  sockets.push(socket);
  const received: unknown[][] = [];
  socket.onAny((...event: unknown[]) => received.push(event));
  return {
    socket,
    received,
    disconnected: new Promise((resolve) => socket.once('disconnect', resolve)),
    ask: (event, data = null) => socket.timeout(PATIENCE_MS).emitWithAck(event, data),
  };
}

function open(test: TestApp, headers: Record<string, string>, transport = 'websocket'): Client {
  const options = { forceNew: true, transports: [transport], extraHeaders: headers };
  return follow(io(`http://${hostOf(test)}`, options));
}

/** Waits until the app has let the socket in. */
async function joined(test: { gateway: ClaimsGateway }): Promise<void> {
  const { rooms } = test.gateway.server.of('/').adapter;
  await until('the socket is let in', () => rooms.has('members'));
}

/** A socket that is let in, of a browser that is signed in. */
async function join(test: TestApp & { gateway: ClaimsGateway }, transport?: string) {
  const { browser, Cookie } = await signIn(test);
  const client = open(test, { Cookie }, transport);
  await joined(test);
  return { browser, Cookie, client };
}

/** The connection of a client that began with a WebSocket. */
function tcpOf({ io: { engine } }: Socket): TcpSocket {
  return (engine.transport as unknown as { ws: { _socket: TcpSocket } }).ws._socket;
}

describe.each(['websocket', 'polling'])('A socket of socket.io over %s', (transport) => {
  it.each(REFUSED_HANDSHAKES)('is refused %s', (_, headersOf, reason) =>
    unlessStoodStill(async () => {
      const test = await start();
      const client = open(test, await headersOf(test), transport);
      // After this, the client does not connect again by itself.
      expect(await client.disconnected).toBe('io server disconnect');
      expect(client.received).toEqual([['session-ended', { reason }]]);
    }),
  );

  it('is told of the end of its session, and disconnected', () =>
    unlessStoodStill(async () => {
      const test = await start();
      const { browser, client } = await join(test, transport);
      await browser.post('/idle-session/sign-out').expect(204);
      test.gateway.server.emit('news', 'too late');
      expect(await client.disconnected).toBe('io server disconnect');
      expect(client.received).toEqual([['session-ended', { reason: 'signed-out' }]]);
    }));

  it('is told of the lock of its session, and disconnected', () =>
    unlessStoodStill(async () => {
      const test = await start({ options: { idleTimeout: '1h', lockAfter: '15m' } });
      const { client } = await join(test, transport);
      test.clock.advance(15 * MINUTE);
      client.socket.emit('edit', 'a');
      expect(await client.disconnected).toBe('io server disconnect');
      expect(client.received[0]).toEqual(['session-locked', { reason: 'locked' }]);
      expect(test.gateway.handled).toEqual([]);
    }));

  it('sends messages, which are activity', async () => {
    const test = await start();
    const { browser, client } = await join(test, transport);
    for (let i = 0; i < 3; i++) {
      test.clock.advance(14 * MINUTE);
      expect(await client.ask('edit', 'a')).toBe('active');
    }
    expect(await statusOf(browser)).toMatchObject({ expiresInMs: 15 * MINUTE });
  });
});

describe('A socket of socket.io', () => {
  it('sends passive messages, and gets news, which are no activity', async () => {
    const test = await start();
    const { browser, client } = await join(test);
    test.clock.advance(10 * MINUTE);
    expect(await client.ask('poll')).toBe('polled');
    test.gateway.server.emit('news', 'hello');
    await until('the news arrives', () => client.received.length > 0);
    expect(await statusOf(browser)).toMatchObject({ expiresInMs: 5 * MINUTE });
  });

  it('is disconnected by a message after the end, whose handler does not run', async () => {
    const test = await start();
    const { client } = await join(test);
    test.clock.advance(15 * MINUTE);
    client.socket.emit('edit', 'a');
    expect(await client.disconnected).toBe('io server disconnect');
    expect(client.received[0]).toEqual(['session-ended', { reason: 'idle' }]);
    expect(test.gateway.handled).toEqual([]);
  });

  it('whose client polls late gets nothing of what was sent before the end', async () => {
    const test = await start();
    const { browser, Cookie } = await signIn(test);
    const url = `http://${hostOf(test)}/socket.io/?EIO=4&transport=polling`;
    const opened = await fetch(url, { headers: { Cookie } });
    const { sid } = JSON.parse((await opened.text()).slice(1)) as { sid: string };
    await fetch(`${url}&sid=${sid}`, { method: 'POST', body: '40' });
    await fetch(`${url}&sid=${sid}`);
    await joined(test);
    test.gateway.server.emit('news', 'personal');
    await browser.post('/sign-out').expect(204);
    const { engine } = test.gateway.server;
    const took = await until('it is cut off', () => engine.clientsCount === 0);
    expect(took).toBeLessThan(2 * SECOND);
    expect((await fetch(`${url}&sid=${sid}`)).status).toBe(400);
  });

  it('whose client does not read is cut off a second after the end', async () => {
    const test = await start();
    const { browser, client } = await join(test);
    const connection = tcpOf(client.socket).pause();
    test.gateway.server.emit('news', 'x'.repeat(32 * 1024 * 1024));
    const before = await connectionsOf(test);
    await browser.post('/sign-out').expect(204);
    const took = await until('it is cut off', async () => (await connectionsOf(test)) < before);
    expect(took).toBeLessThan(2 * SECOND);
    connection.resume();
    await client.disconnected;
    expect(client.received).toEqual([]);
  });

  it('that is not attached has its messages refused', async () => {
    const test = await start();
    test.app.useLogger(false);
    const { Cookie } = await signIn(test);
    const socket = io(`http://${hostOf(test)}/forgotten`, { extraHeaders: { Cookie } });
    const client = follow(socket);
    socket.emit('edit', 'a');
    await until('it is refused', () => client.received.length > 0);
    expect(client.received).toEqual([
      ['exception', expect.objectContaining({ message: 'Forbidden resource' })],
    ]);
  });

  it('finds the data that the session has now', async () => {
    const test = await start();
    const { browser, client } = await join(test);
    await browser.post('/page').send({ note: 'new' }).expect(200);
    expect(await client.ask('note')).toBe('new');
  });

  it('may come back by itself when its session gets another id', async () => {
    const test = await start();
    const { browser, client } = await join(test);
    await browser.post('/sign-in').expect(200);
    expect(await client.disconnected).toBe('transport close');
    expect(client.received).toEqual([]);
  });

  it('comes back by itself once the storage is there again', async () => {
    const test = await start();
    const { Cookie } = await signIn(test);
    test.app.useLogger(false);
    const read = jest.spyOn(test.storage, 'read').mockRejectedValue(new Error('on purpose'));
    const client = open(test, { Cookie });
    expect(await client.disconnected).toBe('transport close');
    expect(client.received).toEqual([]);
    read.mockRestore();
    await joined(test);
    expect(await client.ask('edit', 'a')).toBe('active');
  });
});

describe('A namespace of socket.io', () => {
  it('is refused to a socket whose session ended since the connection was made', async () => {
    const test = await start();
    const { Cookie } = await signIn(test);
    // This namespace attaches nothing, so that the connection stays.
    const forgotten = io(`http://${hostOf(test)}/forgotten`, { extraHeaders: { Cookie } });
    follow(forgotten);
    await new Promise<void>((resolve) => forgotten.once('connect', resolve));
    const first = follow(forgotten.io.socket('/admin'));
    expect(await first.ask('edit')).toBe('edited');

    first.socket.disconnect();
    test.clock.advance(15 * MINUTE);
    const again = follow(forgotten.io.socket('/admin'));
    await until('it is told', () => again.received.length > 0);
    expect(again.received).toEqual([['session-ended', { reason: 'idle' }]]);
  });

  it('shares the session with the others, and all end with it', async () => {
    const test = await start();
    const { browser, client } = await join(test);
    const admin = follow(client.socket.io.socket('/admin'));
    expect(await admin.ask('edit')).toBe('edited');
    await browser.post('/sign-out').expect(204);
    await Promise.all([client.disconnected, admin.disconnected]);
    expect(client.received).toEqual([['session-ended', { reason: 'signed-out' }]]);
  });
});
