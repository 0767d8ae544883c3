/** What the module needs of a socket of the package `ws`. */
interface WebSocketLike {
  /** 1 while it is open. */
  readonly readyState: number;
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: 'close', listener: () => void): unknown;
}

/** What the module needs of a socket of the package `socket.io`. */
interface SocketIoLike {
  readonly connected: boolean;
  readonly conn: { readonly transport: object; close(discard?: boolean): unknown };
  emit(event: string, data: object): unknown;
  disconnect(close: boolean): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/** A socket of `ws` or of socket.io. */
export type AttachableSocket = WebSocketLike | SocketIoLike;

/** A close code of RFC 6455 (7.4.1, and the registry that it starts), and a word for the page. */
export interface SocketClosing {
  readonly code: 1008 | 1011 | 1012 | 1013;
  readonly reason: string;
}

/** Policy violation: the one code after which clients do not connect again by themselves. */
const FOR_GOOD = 1008;

const OPEN = 1;

/** How long a peer may take to receive the last messages, and to answer the close frame. Until then it can send. */
const CLOSE_TIMEOUT_MS = 1000;

export function isOpen(socket: AttachableSocket): boolean {
  return isSocketIo(socket) ? socket.connected : socket.readyState === OPEN;
}

export function onceClosed(socket: AttachableSocket, listener: () => void): void {
  if (isSocketIo(socket)) socket.on('disconnect', listener);
  else socket.on('close', listener);
}

/** Closes a socket. What the server sends from now on is not delivered. */
export function closeSocket(socket: AttachableSocket, closing: SocketClosing): void {
  if (isSocketIo(socket)) closeSocketIo(socket, closing);
  else closeWebSocket(socket, closing);
}

function closeWebSocket(socket: WebSocketLike, { code, reason }: SocketClosing): void {
  socket.close(code, reason);
  const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS);
  timer.unref();
  socket.on('close', () => clearTimeout(timer));
}

/** socket.io has no close codes. Its client connects again by itself after the transport closed, not after a disconnect. */
function closeSocketIo(socket: SocketIoLike, { code, reason }: SocketClosing): void {
  setTimeout(() => cutOff(socket), CLOSE_TIMEOUT_MS).unref();
  if (code !== FOR_GOOD) {
    socket.conn.close();
    return;
  }
  socket.emit(reason === 'locked' ? 'session-locked' : 'session-ended', { reason });
  socket.disconnect(true);
}

/** socket.io keeps what its client has not taken for the next poll, and a connection for as long as it is slow. */
function cutOff({ conn }: SocketIoLike): void {
  conn.close(true);
  const { socket } = conn.transport as { socket?: Partial<WebSocketLike> };
  socket?.terminate?.();
}

function isSocketIo(socket: AttachableSocket): socket is SocketIoLike {
  return 'disconnect' in socket;
}
