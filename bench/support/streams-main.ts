// An app whose pages hold a stream and a socket open, in a process of its own.
import { WsAdapter } from '@nestjs/platform-ws';
import { IdleSessionService } from 'nestjs-idle-session';
import { QuietGateway, QuietStreamController } from '../../test/support/what-stays-open.js';
import { closeApps, listenWith } from './app.js';
import { answerWith } from './asked-process.js';
import { signIn } from './known-sessions.js';
import { oursOnRedis, PATIENT } from './ours.js';
import { connectedClient, SET_UP } from './redis.js';
import { TurnMeter } from './turn-meter.js';

export interface StreamsOptions {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly hasSubscriber: boolean;
}

export interface SignIns {
  readonly count: number;
  /** The number of the first session. */
  readonly from: number;
  /** When all have been idle for too long, by the clock of this machine; null: not in this run. */
  readonly dueAt: number | null;
}

const HOUR_MS = 3_600_000;

const { redisUrl, prefix, hasSubscriber } = JSON.parse(process.argv[2] ?? '') as StreamsOptions;
const connect = () => connectedClient(redisUrl, SET_UP);
const { app, socketPath } = await listenWith(
  {
    controllers: [QuietStreamController],
    providers: [QuietGateway],
    imports: [
      oursOnRedis({
        client: await connect(),
        prefix,
        ...(hasSubscriber && { subscriber: await connect() }),
        options: {
          ...PATIENT,
          warnBefore: false,
          idleTimeout: ({ session }) => session.idleTimeoutMs ?? HOUR_MS,
        },
      }),
    ],
  },
  (created) => created.useWebSocketAdapter(new WsAdapter(created)),
);
const sessions = app.get(IdleSessionService);
const turns = new TurnMeter();
/** The sessions whose end this process decided, as often as it said so. */
const decided: string[] = [];
sessions.events.subscribe(({ type, cause, sessionRef }) => {
  if (type !== 'started' && cause !== 'elsewhere') decided.push(sessionRef);
});

const answers = {
  socketPath: () => socketPath,
  signIn: ({ count, from, dueAt }: SignIns) =>
    signIn(app, count, from, () =>
      dueAt === null ? {} : { idleTimeoutMs: Math.max(1, dueAt - Date.now()) },
    ),
  begin() {
    decided.length = 0;
    turns.begin();
  },
  result() {
    return { decided, turns: turns.end() };
  },
  async holds() {
    return (await sessions.stats()).open;
  },
  memory() {
    // Twice: what finalizers let go is collected by the second.
    for (let time = 0; time < 2; time++) globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    return { heap: heapUsed, rss };
  },
};
export type StreamsAnswers = typeof answers;
answerWith(answers, closeApps);
