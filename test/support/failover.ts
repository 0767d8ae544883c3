import { setTimeout as delay } from 'node:timers/promises';
import { RedisStore } from 'connect-redis';
import { RedisActivityStorage, type RedisScriptClient } from 'nestjs-idle-session/redis';
import supertest from 'supertest';
import { answered } from './answered.js';
import { cookiesOf } from './cookies.js';
import { SHORT_STORAGE_TIMEOUT } from './short-storage-timeout.js';
import { Stopwatch } from './stopwatch.js';
import { until } from './until.js';
import { createTestApp } from './test-app.js';

export interface ReplicatedApp {
  /** A request without cookies. */
  readonly ask: ReturnType<typeof supertest>;
  /** Signs somebody in; the `Cookie` header that is theirs from now on. */
  signIn(): Promise<string>;
  /** Where the person stands, which is no activity. Asks until that can be told. */
  statusOf(cookie: string): Promise<Status>;
  close(): Promise<void>;
}

interface Status {
  readonly state: string;
  readonly reason: string | null;
  readonly expiresInMs: number;
}

/** An app, listening, with its sessions and their activity behind one client, of whichever kind. */
export async function createAppOn(client: RedisScriptClient): Promise<ReplicatedApp> {
  const { app } = await createTestApp({
    options: {
      loginUrl: '/login',
      storageTimeout: SHORT_STORAGE_TIMEOUT,
      storage: new RedisActivityStorage(client),
      session: { store: new RedisStore({ client }) } as never,
    },
    // What it says of outages is for the tests of one server.
    logger: { log() {}, warn() {}, error() {} },
  });
  const ask = supertest(await app.listen(0, '127.0.0.1'));
  return {
    ask,
    signIn: async () => cookiesOf(await answered(() => ask.post('/sign-in'))),
    async statusOf(cookie) {
      const ofPerson = () => ask.get('/idle-session/status').set('Cookie', cookie);
      return (await answered(ofPerson)).body as Status;
    },
    close: () => app.close(),
  };
}

/** What somebody who is at work was answered. */
export interface Answer {
  readonly person: string;
  readonly request: string;
  readonly status: number;
  /** What heartbeat and status say of the session. */
  readonly state: string | undefined;
  readonly retryAfter: string | undefined;
  readonly clearsCookie: boolean;
  readonly tookMs: number;
}

/** Whether somebody was answered as the one they are. */
export function isServed({ status, state = 'active' }: Answer): boolean {
  return status >= 200 && status < 300 && state === 'active';
}

/** Whether somebody was asked to come again, with nothing said about their session. */
export function isPutOff({ status, retryAfter, clearsCookie }: Answer): boolean {
  return status === 503 && Number(retryAfter) > 0 && !clearsCookie;
}

/** People who keep on working, whatever they are answered, until they are told to stop. */
export class PeopleAtWork {
  private readonly answers: Answer[] = [];
  private readonly done: Promise<unknown>;
  private stopped = false;

  constructor(
    private readonly app: ReplicatedApp,
    private readonly people: readonly string[],
  ) {
    this.done = Promise.all(people.map((cookie) => this.work(cookie)));
    // Told by stop(); a test that failed before has said enough.
    this.done.catch(() => {});
  }

  /** Resolves once everybody was answered, in whichever way, from now on. */
  async answered(): Promise<void> {
    const since = this.answers.length;
    await until('everybody is answered', () => {
      const people = this.answers.slice(since).map(({ person }) => person);
      return new Set(people).size === this.people.length;
    });
  }

  /** Resolves once everybody was served, with every kind of request, from now on. */
  async served(): Promise<void> {
    const since = this.answers.length;
    const all = this.people.length * Object.keys(requests).length;
    await until('everybody is served', () => {
      const served = this.answers.slice(since).filter(isServed);
      return new Set(served.map(({ person, request }) => `${request} ${person}`)).size === all;
    });
  }

  /** Resolves once somebody was put off, from now on. */
  async putOff(): Promise<void> {
    const since = this.answers.length;
    await until('people are put off', () => this.answers.slice(since).some(isPutOff));
  }

  /** All that they were answered. */
  async stop(): Promise<readonly Answer[]> {
    this.stopped = true;
    await this.done;
    return this.answers;
  }

  private async work(cookie: string): Promise<void> {
    while (!this.stopped) {
      for (const [request, send] of Object.entries(requests)) {
        const stopwatch = new Stopwatch();
        const { status, headers, body } = await send(this.app.ask).set('Cookie', cookie);
        this.answers.push({
          person: cookie,
          request,
          status,
          state: body.state as string | undefined,
          retryAfter: headers['retry-after'],
          clearsCookie: 'set-cookie' in headers,
          tookMs: stopwatch.stop(),
        });
        await delay(10);
      }
    }
  }
}

const requests: Record<string, (ask: ReplicatedApp['ask']) => supertest.Test> = {
  'GET /members': (ask) => ask.get('/members'),
  'POST /page': (ask) => ask.post('/page').send({ note: 'kept' }),
  'POST /idle-session/heartbeat': (ask) =>
    ask.post('/idle-session/heartbeat').send({ idleForMs: 0 }),
  'GET /poll': (ask) => ask.get('/poll'),
  'GET /idle-session/status': (ask) => ask.get('/idle-session/status'),
};
