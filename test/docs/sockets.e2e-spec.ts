import { describe, expect, it } from '@jest/globals';
import { WsAdapter } from '@nestjs/platform-ws';
import { createClient } from 'graphql-ws';
import { io } from 'socket.io-client';
import WebSocket from 'ws';
import { NewsModule } from '../../docs/examples/recipes/graphql-subscriptions.js';
import { ClaimsModule as SocketIoModule } from '../../docs/examples/recipes/socket-io.js';
import { PartnersGateway } from '../../docs/examples/recipes/websockets-origins.js';
import { ClaimsModule } from '../../docs/examples/recipes/websockets.js';
import { PATIENCE_MS } from '../support/durations.js';
import { signIn } from '../support/socket-app.js';
import { hostOf, SocketClient } from '../support/socket-client.js';
import { statusOf } from '../support/requests.js';
import { MINUTE, type TestAppOptions } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';
import { until } from '../support/until.js';

const startApp = testApps();

async function start(metadata: TestAppOptions['metadata'], onWs = true) {
  const configure: TestAppOptions['configure'] = (app) =>
    void (onWs && app.useWebSocketAdapter(new WsAdapter(app)));
  const test = await startApp({ metadata, configure });
  await test.app.listen(0, '127.0.0.1');
  return { ...test, ...(await signIn(test)) };
}

describe('docs/recipes/websockets.md', () => {
  it('a gateway on ws sends to members, counts messages, and closes at the end', async () => {
    const test = await start({ imports: [ClaimsModule] });
    const stranger = await SocketClient.open(test, '/claims');
    expect(await stranger.closed).toEqual({ code: 1008, reason: 'none' });

    const client = await SocketClient.open(test, '/claims', { Cookie: test.Cookie });
    test.clock.advance(10 * MINUTE);
    expect(await client.ask('poll')).toEqual({ event: 'news', data: [] });
    expect(await statusOf(test.browser)).toMatchObject({ expiresInMs: 5 * MINUTE });
    expect(await client.ask('rename', 'Storm')).toEqual({ event: 'renamed', name: 'Storm' });
    expect(await statusOf(test.browser)).toMatchObject({ expiresInMs: 15 * MINUTE });
    await test.browser.post('/sign-out').expect(204);
    expect(await client.closed).toEqual({ code: 1008, reason: 'signed-out' });
  });

  it('a gateway names the origins of its pages', async () => {
    const test = await start({ providers: [PartnersGateway] });
    const { Cookie } = test;
    const refused = await SocketClient.open(test, '/claims', {
      Cookie,
      Origin: 'https://b.example',
    });
    expect(await refused.closed).toMatchObject({ reason: 'other-origin' });
    const Origin = 'https://app.example.com';
    const client = await SocketClient.open(test, '/claims', { Cookie, Origin });
    await test.browser.post('/sign-out').expect(204);
    expect(await client.closed).toMatchObject({ reason: 'signed-out' });
  });

  it('a gateway on socket.io knows the person, and tells of the end', async () => {
    const test = await start({ imports: [SocketIoModule] }, false);
    const transports = ['websocket'];
    const client = io(`http://${hostOf(test)}`, {
      transports,
      extraHeaders: { Cookie: test.Cookie },
    });
    expect(await client.timeout(PATIENCE_MS).emitWithAck('me', null)).toBe('ada');
    const told = new Promise((resolve) => client.once('session-ended', resolve));
    await test.browser.post('/sign-out').expect(204);
    expect(await told).toEqual({ reason: 'signed-out' });
    client.close();
  });

  it('a subscription of GraphQL ends with its session', async () => {
    const test = await start({ imports: [NewsModule] }, false);
    class WithCookie extends WebSocket {
      constructor(address: string, protocol: string) {
        super(address, protocol, { headers: { Cookie: test.Cookie } });
      }
    }
    const url = `ws://${hostOf(test)}/graphql`;
    const client = createClient({ url, webSocketImpl: WithCookie, retryAttempts: 0 });
    const received: unknown[] = [];
    const over = new Promise((resolve) =>
      client.subscribe(
        { query: 'subscription { news }' },
        { next: ({ data }) => received.push(data), error: resolve, complete: () => {} },
      ),
    );
    await until('news', () => received.length > 0);
    await test.browser.post('/sign-out').expect(204);
    expect(await over).toMatchObject({ code: 1008, reason: 'signed-out' });
    expect(received).toEqual([{ news: 'hello' }]);
  });
});
