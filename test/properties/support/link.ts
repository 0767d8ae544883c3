import {
  ActivityStorage,
  type ActivityFeed,
  type Changes,
  type EndReason,
  type Expiry,
  type NewSession,
  type Touch,
} from 'nestjs-idle-session';
import type { SharedStorage } from './shared-storage.js';
import { after } from './virtual-time.js';

/**
 * What a link does while it is out of order: `refuses` before the storage heard of a call, `hangs` and brings
 * everything to the storage in the end, `forgets` the answers of calls that were executed.
 */
export type Fault = 'refuses' | 'hangs' | 'forgets';

/** The state that the network of one process is in. */
export interface Network {
  /** How long calls take to the storage, and their answers back, one after the other and then again. */
  delays: readonly number[];
  fault: Fault | undefined;
}

/** A process's connection to the storage, which delays, reorders and fails as the test wants. */
export class Link extends ActivityStorage implements ActivityFeed {
  readonly partitions: number;
  private held: (() => void)[] = [];
  private isCut = false;
  private legs = 0;

  /** @param onLost told of what sessions ended when nobody was left to be told */
  constructor(
    private readonly storage: SharedStorage,
    private readonly network: Network,
    private readonly onLost: (key: string) => void,
  ) {
    super();
    this.partitions = storage.partitions;
  }

  /** What hung is delivered, in order or the newest first. */
  release(newestFirst: boolean): void {
    const held = newestFirst ? this.held.reverse() : this.held;
    this.held = [];
    for (const deliver of held) deliver();
  }

  /** The process is gone. What it sent arrives all the same. */
  cut(): void {
    this.isCut = true;
  }

  partitionOf(key: string): number {
    return this.storage.partitionOf(key);
  }

  override read(key: string) {
    return this.call(() => this.storage.read(key));
  }

  override start(key: string, session: NewSession) {
    return this.call(() => this.storage.start(key, session));
  }

  override touch(key: string, idleTimeoutMs: number, at: number) {
    return this.call(() => this.storage.touch(key, idleTimeoutMs, at));
  }

  override unlock(key: string, idleTimeoutMs: number) {
    return this.call(() => this.storage.unlock(key, idleTimeoutMs));
  }

  override end(key: string, reason: EndReason) {
    return this.call(
      () => this.storage.end(key, reason),
      ({ won }) => (won ? [key] : []),
    );
  }

  override expire(limit: number): Promise<Expiry> {
    return this.call(
      () => this.storage.expire(limit),
      ({ expired }) => expired.map(({ key }) => key),
    );
  }

  sync(partition: number, touches: readonly Touch[], since: unknown): Promise<Changes> {
    return this.call(() => this.storage.sync(partition, touches, since));
  }

  /** @param ended the sessions that an answer says this call ended: their events are lost with it */
  private call<T>(
    execute: () => Promise<T>,
    ended: (answer: T) => string[] = () => [],
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.isCut) return;
      const [there, back] = [this.delay(), this.delay()];
      const deliver = () => {
        const isLost = this.network.fault === 'forgets';
        const executed = execute();
        const arrive = async () => {
          const answer = await executed;
          if (this.isCut || isLost) ended(answer).forEach(this.onLost);
          if (this.isCut) return;
          if (isLost) reject(new Error('the connection broke'));
          else resolve(answer);
        };
        after(back, () => void arrive());
      };
      after(there, () => {
        if (this.network.fault === 'refuses') reject(new Error('the storage is away'));
        else if (this.network.fault === 'hangs') this.held.push(deliver);
        else deliver();
      });
    });
  }

  private delay(): number {
    const { delays } = this.network;
    return delays[this.legs++ % delays.length] ?? 0;
  }
}
