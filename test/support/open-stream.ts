import { get, type Agent, type IncomingMessage } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { INestApplication } from '@nestjs/common';
import { until } from './until.js';

interface StreamOptions {
  cookie?: string;
  headers?: Record<string, string>;
  method?: string;
  agent?: Agent;
}

/** An answer that comes piece by piece, as its client sees it. */
export class OpenStream {
  received = '';
  /** How the answer ended; `cut`: before it was complete. */
  outcome: 'whole' | 'cut' | undefined;

  private static readonly opened: OpenStream[] = [];

  private constructor(private readonly answer: IncomingMessage) {
    const isZipped = answer.headers['content-encoding'] === 'gzip';
    const body = isZipped ? pipeline(answer, createGunzip(), () => {}) : answer;
    body.on('data', (chunk: Buffer) => (this.received += chunk.toString()));
    body.on('error', () => {});
    // Unzipping takes its time, in a thread of its own.
    body.on('close', () => (this.outcome = answer.complete ? 'whole' : 'cut'));
  }

  /** Resolves once the headers have come; the app has to listen. */
  static async open(
    app: INestApplication,
    path: string,
    { cookie = '', headers = {}, method, agent }: StreamOptions = {},
  ): Promise<OpenStream> {
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
    const url = `http://127.0.0.1:${port}${path}`;
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { method, agent, headers: { ...headers, ...(cookie && { cookie }) } }, resolve).on(
        'error',
        reject,
      );
    });
    const stream = new OpenStream(answer);
    OpenStream.opened.push(stream);
    return stream;
  }

  get status(): number | undefined {
    return this.answer.statusCode;
  }

  get headers(): IncomingMessage['headers'] {
    return this.answer.headers;
  }

  async has(text: string): Promise<void> {
    await until(`the stream has ${text}`, () => this.received.includes(text));
  }

  async end(): Promise<'whole' | 'cut'> {
    await until('the stream ends', () => this.outcome !== undefined);
    return this.outcome!;
  }

  /** An app that closes would wait for what is open. Call it before the app is closed. */
  static leaveAll(): void {
    for (const stream of OpenStream.opened.splice(0)) stream.leave();
  }

  /** The client leaves. */
  leave(): void {
    this.answer.destroy();
  }
}
