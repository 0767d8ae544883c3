import { once } from 'node:events';
import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { RedisStore } from 'connect-redis';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { createClient } from 'redis';
import type { SessionBacking } from './session-backing.js';

const FIRST_CONNECTION_MS = 3000;

/** Keeps both in one Redis, for any number of processes. */
export class RedisSessionBacking implements SessionBacking, OnApplicationShutdown {
  private readonly logger = new Logger('Redis');
  private readonly client;
  private readonly subscriber;
  private isAway = false;
  readonly store: RedisStore;
  readonly storage: RedisActivityStorage;

  constructor(url: string) {
    // Without the queue, a request during an outage is answered at once instead of hanging until Redis is back; and
    // nothing waits to be sent for so long that node-redis would have to limit it.
    const commandOptions = { timeout: 0 };
    this.client = createClient({ url, disableOfflineQueue: true, commandOptions })
      .on('error', (error: Error) => this.noteAway(error))
      .on('ready', () => this.noteReady());
    this.store = new RedisStore({ client: this.client, prefix: 'claims-desk:session:' });
    // Tells at once of sessions that other processes end. Its queue lets it subscribe once Redis is there; that Redis is
    // away is for the client to say.
    this.subscriber = this.client.duplicate({ disableOfflineQueue: false }).on('error', () => {});
    this.subscriber.connect().catch(() => {});
    this.storage = new RedisActivityStorage(this.client, {
      prefix: 'claims-desk:activity:',
      subscriber: this.subscriber,
    });
  }

  /** Starts even if Redis is away: the client keeps trying, and the app answers 503 until it has succeeded. */
  async connect(): Promise<this> {
    const firstAnswer = once(this.client, 'ready', {
      signal: AbortSignal.timeout(FIRST_CONNECTION_MS),
    });
    this.client.connect().catch((error: Error) => this.noteAway(error));
    await firstAnswer.catch((error: Error) => this.noteAway(error));
    return this;
  }

  // Nest has closed the server by then: nobody is waiting for an answer.
  onApplicationShutdown(): void {
    this.client.destroy();
    this.subscriber.destroy();
  }

  // Said once each way, not at every attempt.
  private noteAway(error: Error): void {
    if (this.isAway) return;
    this.isAway = true;
    this.logger.error(
      `Away (${error.message}). Nobody can sign in until it is back; trying again.`,
    );
  }

  private noteReady(): void {
    this.isAway = false;
    this.logger.log('Ready.');
  }
}
