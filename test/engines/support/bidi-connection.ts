import { once } from 'node:events';
import { WebSocket } from 'ws';

interface Reply {
  readonly id: number | null;
  readonly type: 'success' | 'error' | 'event';
  readonly result: unknown;
  readonly error?: string;
  readonly message?: string;
}

/** Commands of WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), and their results. */
export class BidiConnection {
  private readonly waiting = new Map<number, PromiseWithResolvers>();
  private lastId = 0;

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => this.take(JSON.parse(data.toString()) as Reply));
    socket.on('close', () => this.giveUp());
  }

  static async open(url: string): Promise<BidiConnection> {
    const socket = new WebSocket(url);
    await once(socket, 'open');
    return new BidiConnection(socket);
  }

  /** @throws {Error} with what the browser says against it */
  send<T = unknown>(method: string, params: object): Promise<T> {
    this.lastId += 1;
    const id = this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.socket.send(JSON.stringify({ id, method, params }));
    });
  }

  close(): void {
    this.socket.close();
  }

  private take({ id, type, result, error, message }: Reply): void {
    const command = id === null ? undefined : this.waiting.get(id);
    if (!command) return;
    this.waiting.delete(id!);
    if (type === 'success') command.resolve(result);
    else command.reject(new Error(`${error}: ${message}`));
  }

  private giveUp(): void {
    for (const { reject } of this.waiting.values()) reject(new Error('The browser has gone'));
    this.waiting.clear();
  }
}

interface PromiseWithResolvers {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}
