import { afterAll, beforeAll, describe, it } from '@jest/globals';
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { evaluate, type EndReason, type IdleSessionEvent } from 'nestjs-idle-session';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import type { Outcome } from '../model/storage-oracle.js';
import { whatCounts } from '../model/visit.js';
import { passTime } from '../support/activity-records.js';
import { newSession } from '../support/new-session.js';
import { patient } from '../support/patient.js';
import { RedisServer, type RedisClient } from '../support/redis-server.js';
import { runs, TIME_LIMIT_MS } from './support/runs.js';
import { Server } from './support/server.js';

const MINUTE = 60_000;
const SYNC_INTERVAL_MS = 20;
/** A busy machine may take long to answer, and no Redis is away here. */
const STORAGE_TIMEOUT_MS = 20_000;
/** A turn of the event loop, and less than until activity is sent. */
const ACKNOWLEDGED_MS = 5;
const SERVERS = 3;
const ABSOLUTE_MINUTES = 40.7;
const LOCK_MINUTES = 8.65;

let redis: RedisServer;
let admin: RedisClient;
beforeAll(async () => {
  redis = await RedisServer.start();
  admin = await redis.client();
});
afterAll(() => RedisServer.stopAll());

const server = fc.nat(SERVERS - 1);
const key = fc.constantFrom('a', 'a', 'b');
const action = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('visit' as const),
      server,
      key,
      // In minutes. Redis's own clock runs on: what is to come lies at least 24 seconds ahead of any span.
      timeout: fc.constantFrom(10.7, 10.7, 10.7, 10.7, 5.7, 20.7),
      idleFor: fc.constantFrom(0, 0, 0, 2.25, 7.25),
      passive: fc.constantFrom(false, false, true),
      unlocks: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constantFrom('signed-out' as const, 'revoked' as const),
      server,
      key,
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('sweep' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('pass' as const), minutes: fc.nat(12) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constantFrom('crash' as const, 'stop' as const), server }),
  },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

/** What is known of a session. Times are in minutes. */
interface Model {
  /** The last activity: what the storage surely has, and what was accepted. A crash may lose what is between. */
  stored: number;
  accepted: number;
  timeout: number;
  /** Accepted, and not surely sent yet. */
  unsent: { readonly by: Server; readonly at: number }[];
  ended?: EndReason;
  /** The servers that know the end; others may take their interval. */
  readonly endKnownBy: Set<Server>;
}

interface Running {
  readonly server: Server;
  readonly client: RedisClient;
}

/** Servers on one Redis that do one thing after the other. */
class World {
  private readonly running: Running[] = [];
  private readonly models = new Map<string, Model>();
  private readonly events: string[] = [];
  private now = 0;

  constructor(private readonly prefix: string) {}

  async run(actions: readonly Action[]): Promise<void> {
    for (let index = 0; index < SERVERS; index++) this.running.push(await this.launch());
    for (const name of ['a', 'b']) {
      await this.running[0]!.server.start(name, 10.7 * MINUTE);
      const model = {
        stored: 0,
        accepted: 0,
        timeout: 10.7,
        unsent: [],
        endKnownBy: new Set<Server>(),
      };
      this.models.set(name, model);
    }
    for (const each of actions) await this.perform(each);

    await this.pass(60);
    await this.sweep();
    assert.deepEqual(this.events.sort(), ['a', 'b'], 'each end is told once');
    for (const { client } of this.running) client.destroy();
  }

  private async perform(each: Action): Promise<void> {
    switch (each.type) {
      case 'visit':
        return this.visit(each);
      case 'signed-out':
      case 'revoked':
        return this.end(each.key, this.running[each.server]!.server, each.type);
      case 'sweep':
        return this.sweep();
      case 'pass':
        return this.pass(each.minutes);
      case 'crash':
      case 'stop':
        return this.replace(each.server, each.type === 'stop');
    }
  }

  private async visit(visit: Extract<Action, { type: 'visit' }>): Promise<void> {
    const { server } = this.running[visit.server]!;
    const model = this.models.get(visit.key)!;
    if (visit.timeout !== model.timeout) await this.settle();
    const allowed = this.allowed(model, server, visit);
    const mayBe = [model.stored, model.accepted].map((last) => this.outcome(last, model.timeout));
    const carried = {
      idleTimeoutMs: visit.timeout * MINUTE,
      idleForMs: visit.idleFor * MINUTE,
      passive: visit.passive,
      unlocks: visit.unlocks,
    };
    const outcome = await server.visit(visit.key, carried);
    assert.ok(allowed.includes(outcome), `${outcome} instead of ${allowed.join(' or ')}`);
    if (outcome === 'locked') return;
    if (outcome !== 'accepted') return this.endedAs(model, outcome as EndReason, server);
    if (model.ended !== undefined) return;
    const counts = whatCounts(carried);
    if (counts.unlocks && !mayBe.includes('accepted')) {
      // The storage does that itself, and at once.
      model.stored = model.accepted = this.now;
    } else if (!counts.passive) {
      const at = this.now - counts.idleForMs / MINUTE;
      model.unsent.push({ by: server, at });
      model.accepted = Math.max(model.accepted, at);
    }
    if (visit.timeout !== model.timeout) await this.settle();
    model.timeout = visit.timeout;
  }

  private allowed(
    model: Model,
    server: Server,
    { timeout, unlocks }: Extract<Action, { type: 'visit' }>,
  ): Outcome[] {
    const { ended } = model;
    if (ended !== undefined) return model.endKnownBy.has(server) ? [ended] : [ended, 'accepted'];
    return [model.stored, model.accepted].map((last) => {
      const now = this.outcome(last, model.timeout);
      if (unlocks && now === 'locked') return 'accepted';
      // Of a session that is not locked, an unlock is activity.
      return now === 'accepted' ? this.outcome(last, timeout) : now;
    });
  }

  private dead(lastActivityAt: number, idleTimeout: number): EndReason | undefined {
    const outcome = this.outcome(lastActivityAt, idleTimeout);
    return outcome === 'idle' || outcome === 'absolute' ? outcome : undefined;
  }

  private outcome(lastActivityAt: number, idleTimeoutMs: number): Outcome {
    const record = {
      ...newSession(idleTimeoutMs),
      absoluteTimeoutMs: ABSOLUTE_MINUTES,
      lockAfterMs: LOCK_MINUTES,
      startedAt: 0,
      authenticatedAt: 0,
      lastActivityAt,
    };
    const evaluation = evaluate(record, { warnBeforeMs: false }, this.now);
    if (evaluation.state === 'expired') return evaluation.reason;
    return evaluation.state === 'locked' ? 'locked' : 'accepted';
  }

  private async end(name: string, server: Server, reason: EndReason): Promise<void> {
    const model = this.models.get(name)!;
    const outcome = await server.end(name, reason);
    assert.equal(outcome, model.ended ?? reason);
    this.endedAs(model, reason, server);
  }

  private endedAs(model: Model, reason: EndReason, by: Server): void {
    model.ended ??= reason;
    model.endKnownBy.add(by);
  }

  /** All at once. */
  private async sweep(): Promise<void> {
    const sweeps = await Promise.all(this.running.map(({ server }) => server.sweep()));
    const swept = sweeps.flat();
    for (const [name, model] of this.models) {
      if (model.ended !== undefined) continue;
      const allowed = [model.stored, model.accepted].map((last) => this.dead(last, model.timeout));
      const isSwept = swept.includes(name);
      assert.ok(
        allowed.some((reason) => (reason !== undefined) === isSwept),
        `swept: ${isSwept}`,
      );
      if (isSwept) model.ended = allowed.find((reason) => reason !== undefined);
    }
  }

  private async pass(minutes: number): Promise<void> {
    await this.settle();
    await passTime(admin, minutes * MINUTE, this.prefix);
    this.now += minutes;
    await delay(SYNC_INTERVAL_MS);
  }

  /** Lets everything be sent and heard. */
  private async settle(): Promise<void> {
    // What was noted while something was being sent is sent after that.
    for (let round = 0; round < 2; round++) {
      await delay(2 * SYNC_INTERVAL_MS);
      await Promise.all(this.running.map(({ client }) => client.ping()));
    }
    for (const model of this.models.values()) {
      model.stored = Math.max(model.stored, ...model.unsent.map(({ at }) => at));
      model.unsent = [];
      if (model.ended === undefined) continue;
      for (const { server } of this.running) model.endKnownBy.add(server);
    }
  }

  private async replace(index: number, gracefully: boolean): Promise<void> {
    const { server, client } = this.running[index]!;
    if (gracefully) await server.stop();
    // It has acknowledged what it told. Of a process that dies right between, another one would tell again.
    await delay(ACKNOWLEDGED_MS);
    await client.ping();
    client.destroy();
    for (const model of this.models.values()) {
      const sent = gracefully ? model.unsent.filter(({ by }) => by === server) : [];
      model.stored = Math.max(model.stored, ...sent.map(({ at }) => at));
      model.unsent = model.unsent.filter(({ by }) => by !== server);
    }
    this.running[index] = await this.launch();
  }

  private async launch(): Promise<Running> {
    const client = await redis.client();
    const storage = patient(
      new RedisActivityStorage(client, {
        prefix: this.prefix,
        syncInterval: SYNC_INTERVAL_MS,
        // This model knows of no activity that waits; the one of several servers in virtual time does.
        touchInterval: 0,
      }),
    );
    const limits = {
      absoluteTimeoutMs: ABSOLUTE_MINUTES * MINUTE,
      lockAfterMs: LOCK_MINUTES * MINUTE,
    };
    const onEvent = ({ type, sessionRef }: IdleSessionEvent) => {
      if (type !== 'started') this.events.push(sessionRef);
    };
    const server = new Server(storage, limits, onEvent, STORAGE_TIMEOUT_MS);
    return { server, client };
  }
}

describe('Three processes on one Redis', () => {
  it(
    'serve no session that is over, end none before its time, and emit each end once',
    async () => {
      let run = 0;
      const property = fc.asyncProperty(
        fc.array(action, { maxLength: 14, size: 'max' }),
        (actions) => new World(`${run++}:`).run(actions),
      );
      await fc.assert(property, runs(15));
    },
    TIME_LIMIT_MS,
  );
});
