import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import { IdleSessionGateway } from 'nestjs-idle-session';
import { OpenSessions } from '../../libs/idle-session/src/session/open/open-sessions.js';
import { connectionsOf } from '../support/connections.js';
import { SECOND } from '../support/durations.js';
import { ClaimsGateway, signIn, socketApps } from '../support/socket-app.js';
import { SocketClient } from '../support/socket-client.js';
import { unlessStoodStill } from '../support/unless-stood-still.js';
import { until } from '../support/until.js';

/** Compresses each message, which it does in other threads. */
@IdleSessionGateway()
@WebSocketGateway({ path: '/deflating', perMessageDeflate: { threshold: 0 } })
class DeflatingGateway extends ClaimsGateway {}

const startApp = socketApps();

const MEGABYTE = 1024 * 1024;

/** A message that can hardly be compressed. */
const big = (megabytes: number) =>
  JSON.stringify({
    event: 'before',
    data: randomBytes(Math.ceil(megabytes * MEGABYTE)).toString('base64'),
  });

async function start() {
  const test = await startApp({ metadata: { providers: [DeflatingGateway] } });
  return { ...test, deflating: test.app.get(DeflatingGateway), ...(await signIn(test)) };
}

describe.each([
  ['A WebSocket', '/claims', ''],
  ['A WebSocket with permessage-deflate', '/deflating', 'permessage-deflate'],
])('%s', (_, path, extensions) => {
  async function opened() {
    const test = await start();
    const client = await SocketClient.open(test, path, { Cookie: test.Cookie });
    expect(client.socket.extensions).toBe(extensions);
    const { members } = path === '/claims' ? test.gateway : test.deflating;
    await until('the socket is let in', () => members.length === 1);
    const signOut = () => test.browser.post('/idle-session/sign-out').expect(204);
    return { test, client, socket: members[0]!, signOut };
  }

  it('gets nothing that was sent after the end, also where what came before is still on its way', () =>
    unlessStoodStill(async () => {
      const { client, socket, signOut } = await opened();
      for (let count = 0; count < 3; count++) socket.send(big(0.2));
      await signOut();
      socket.send('{ "event": "after" }');
      expect(await client.closed).toEqual({ code: 1008, reason: 'signed-out' });
      expect(client.has('after')).toBe(false);
    }));

  it('of a client that vanished is held until the session ends, and cut off a second later', async () => {
    const { test, client, socket, signOut } = await opened();
    client.socket.pause();
    socket.send(big(32));
    const before = await connectionsOf(test);
    expect(test.app.get(OpenSessions).count).toBe(1);
    await signOut();
    expect(test.app.get(OpenSessions).count).toBe(0);
    // ws says so in a later turn than the server.
    const isCutOff = async () => socket.readyState === 3 && (await connectionsOf(test)) < before;
    const took = await until('it is cut off', isCutOff);
    expect(took).toBeLessThan(2 * SECOND);
    client.socket.terminate();
  });
});
