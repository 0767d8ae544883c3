import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';

/** A message of a stream, as an `EventSource` would have it. */
export interface StreamedEvent {
  readonly type: string;
  /** Parsed from JSON. */
  readonly data: unknown;
}

/** A stream of server-sent events, as a client has it open. */
export class EventStream {
  /** All that has arrived, in order. */
  readonly events: StreamedEvent[] = [];
  /** Whether the server has ended it, rather than cut it off. */
  isEnded = false;

  private constructor(private readonly response: IncomingMessage) {
    let received = '';
    response
      .setEncoding('utf8')
      .on('data', (text: string) => {
        const messages = (received + text).split('\n\n');
        received = messages.pop()!;
        this.events.push(...messages.map(parse).filter(({ data }) => data !== undefined));
      })
      .on('end', () => (this.isEnded = true))
      // Such as of a client that goes away.
      .on('error', () => {});
  }

  /** Resolves when the server has answered 200. */
  static async open(url: string, cookie: string): Promise<EventStream> {
    const headers = { Accept: 'text/event-stream', Cookie: cookie };
    // A connection of its own: none is kept that a closing server would wait for.
    const [response] = (await once(get(url, { headers, agent: false }), 'response')) as [
      IncomingMessage,
    ];
    if (response.statusCode === 200) return new EventStream(response);
    response.destroy();
    throw new Error(`The stream was answered ${response.statusCode}`);
  }

  /** As a client that goes away. */
  close(): void {
    this.response.destroy();
  }
}

function parse(message: string): StreamedEvent {
  const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(message)?.[1];
  const data = field('data');
  return { type: field('event') ?? 'message', data: data && JSON.parse(data) };
}
