import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';

/** What a browser that holds a stream or a socket open was told of the end of its session. */
export interface Visit {
  /** Each time, by the clock of this machine. */
  readonly toldAt: readonly number[];
  /** The reasons that a stream was told, or the code that a socket was closed with. */
  readonly words: readonly string[];
  /** Whether anything came after that. */
  readonly gotMore: boolean;
  readonly isClosed: boolean;
}

/** Where an app listens. */
export type Address = { readonly socketPath: string } | { readonly port: number };

const ENDED = /^event: session-ended\ndata: (.*)\n\n/m;

const agent = new Agent({ maxSockets: Infinity });

/** @throws {Error} if it is refused */
export async function openStream(address: Address, path: string, cookie: string): Promise<Visit> {
  const headers = { Cookie: cookie, Accept: 'text/event-stream' };
  const asked = request({ ...address, path, headers, agent }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`A stream was answered ${response.statusCode}`);
  const toldAt: number[] = [];
  const words: string[] = [];
  const visit = { toldAt, words, gotMore: false, isClosed: false };
  let unread = '';
  response.setEncoding('utf8');
  response.on('data', (text: string) => {
    visit.gotMore ||= toldAt.length > 0;
    unread += text;
    for (let told = ENDED.exec(unread); told; told = ENDED.exec(unread)) {
      unread = unread.slice(told.index + told[0].length);
      visit.gotMore ||= unread !== '';
      toldAt.push(Date.now());
      words.push((JSON.parse(told[1]!) as { reason: string }).reason);
    }
  });
  response.on('close', () => (visit.isClosed = true));
  response.on('error', () => {});
  return visit;
}

/**
 * The gateway has to send something once it has attached the socket.
 * @throws {Error} if it is refused
 */
export async function openSocket(address: Address, path: string, cookie: string): Promise<Visit> {
  const url =
    'port' in address
      ? `ws://127.0.0.1:${address.port}${path}`
      : `ws+unix:${address.socketPath}:${path}`;
  const socket = new WebSocket(url, { headers: { Cookie: cookie }, perMessageDeflate: false });
  const [first] = await Promise.race([once(socket, 'message'), once(socket, 'close')]);
  if (typeof first === 'number') throw new Error(`A socket was closed with ${first}`);
  const toldAt: number[] = [];
  const words: string[] = [];
  const visit = { toldAt, words, gotMore: false, isClosed: false };
  socket.on('message', () => (visit.gotMore ||= toldAt.length > 0));
  socket.on('close', (code) => {
    visit.isClosed = true;
    words.push(String(code));
    // 1006: without a close frame, so it was told nothing.
    if (code !== 1006) toldAt.push(Date.now());
  });
  socket.on('error', () => {});
  return visit;
}
