import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import WebSocket from 'ws';
import type { TestApp } from './test-app.js';

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** Where an app that listens can be reached, without the scheme. */
export function hostOf({ app }: Pick<TestApp, 'app'>): string {
  return `127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
}

/** A page's WebSocket to a Nest gateway. */
export class SocketClient {
  /** What the server sent, in order. */
  readonly received: { event: string; data: unknown }[] = [];
  /** The close code and the reason, once the socket is closed. */
  readonly closed: Promise<Closed>;
  private readonly opened: Promise<unknown>;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => this.received.push(JSON.parse(data.toString())));
    this.closed = once(socket, 'close').then(([code, reason]) => ({
      code: code as number,
      reason: (reason as Buffer).toString(),
    }));
    this.opened = once(socket, 'open');
  }

  /** Opens a socket with what a browser would send, and waits until it is open. */
  static async open(
    test: Pick<TestApp, 'app'>,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<SocketClient> {
    const client = new SocketClient(new WebSocket(`ws://${hostOf(test)}${path}`, { headers }));
    await client.opened;
    return client;
  }

  has(event: string): boolean {
    return this.received.some((received) => received.event === event);
  }

  send(event: string, data: unknown = null): void {
    this.socket.send(JSON.stringify({ event, data }));
  }

  /** Sends a message, and resolves to the next that comes. */
  async ask(event: string, data: unknown = null): Promise<{ event: string; data: unknown }> {
    const answered = once(this.socket, 'message');
    this.send(event, data);
    await answered;
    return this.received.at(-1)!;
  }
}
