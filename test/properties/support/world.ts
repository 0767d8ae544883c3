import { BufferedActivityStorage } from 'nestjs-idle-session';
import type { Rules } from '../../model/rules.js';
import { StorageOracle } from '../../model/storage-oracle.js';
import type { Visit } from '../../model/visit.js';
import { LATENCY_MS, RECOVERY_MS, SERVERS } from '../../model/troubles.js';
import type { Action, By, Moment } from './action.js';
import { Link, type Fault, type Network } from './link.js';
import { Server } from './server.js';
import { SharedStorage } from './shared-storage.js';
import { now, pass, settle, startVirtualTime } from './virtual-time.js';

export interface Options extends Rules {
  readonly changesRemembered: number;
}

/** A place for a server, which is taken by another when it is gone. */
interface Slot {
  readonly network: Network;
  /** Of all servers that were here. */
  readonly links: Link[];
  running: Running;
  /** Counts the outages; the newest one decides when it is over. */
  outages: number;
}

interface Running {
  readonly id: number;
  readonly server: Server;
  readonly link: Link;
  crashed: boolean;
}

/** Some servers on one storage, and the oracle that watches them. */
export class World {
  private readonly oracle: StorageOracle;
  private readonly storage: SharedStorage;
  private readonly slots: readonly Slot[];
  /** The session that each person has, and how many there were. */
  private readonly keys = new Map<string, string>();
  private sessions = 0;

  constructor(private readonly options: Options) {
    startVirtualTime();
    this.oracle = new StorageOracle(options, now);
    this.storage = new SharedStorage({
      now,
      changesRemembered: options.changesRemembered,
      onWrite: (key, record) => this.oracle.written(key, record),
    });
    this.slots = Array.from({ length: SERVERS }, (_, id) => {
      const network: Network = { delays: [], fault: undefined };
      const running = this.launch(id, network);
      return { network, links: [running.link], running, outages: 0 };
    });
  }

  /** Does it all, until everything is over. Returns the first promise that was broken. */
  async run(actions: readonly Action[]): Promise<string | undefined> {
    const { broken } = this.oracle;
    for (const action of actions) {
      await this.perform(action);
      await settle();
      if (broken.length > 0) return broken[0];
    }
    await this.close();
    return broken[0];
  }

  private async perform(action: Action): Promise<void> {
    switch (action.type) {
      case 'sign-in':
        return this.signIn(action);
      case 'visit':
        return this.visit(action, this.keys.get(action.person));
      case 'stay':
        return this.stay(action);
      case 'sign-out':
        return this.end(action, 'signed-out');
      case 'revoke':
        return this.end(action, 'revoked');
      case 'sweep':
        for (const server of action.servers) this.sweep(this.slots[server]!.running);
        return;
      case 'pass':
        return pass(action.ms);
      case 'pass-to': {
        const ms = this.momentOf(action.person, action.moment) + action.ms - now();
        return ms > 0 ? pass(ms) : undefined;
      }
      case 'crash':
        return this.crash(this.slots[action.server]!);
      case 'stop':
        return this.stop(this.slots[action.server]!);
      case 'network':
        this.slots[action.server]!.network.delays = action.delays;
        return this.networkChanged(action.server);
      case 'outage':
        for (const server of action.servers) this.fail(server, action);
        return;
      case 'calm':
        return this.calm();
    }
  }

  /** The person has the new session as soon as that is answered. */
  private signIn(action: Extract<Action, { type: 'sign-in' }>): void {
    const { running } = this.slots[action.server]!;
    const key = `${action.person}${++this.sessions}`;
    const done = this.oracle.visited(running.id, key, action);
    this.watch(running, running.server.start(key, action.idleTimeoutMs), (outcome) => {
      if (outcome === 'accepted') this.keys.set(action.person, key);
      done(outcome);
    });
  }

  private visit(visit: By & Visit, key: string | undefined): void {
    if (key === undefined) return;
    const { running } = this.slots[visit.server]!;
    const done = this.oracle.visited(running.id, key, visit);
    this.watch(running, running.server.visit(key, visit), done);
  }

  private stay(action: Extract<Action, { type: 'stay' }>): void {
    const key = this.keys.get(action.person);
    const visit = (left: number) => {
      this.visit(action, key);
      if (left > 1) setTimeout(visit, action.everyMs, left - 1);
    };
    visit(action.times);
  }

  private end({ server, person }: By, reason: 'signed-out' | 'revoked'): void {
    const key = this.keys.get(person);
    if (key === undefined) return;
    const { running } = this.slots[server]!;
    const done = this.oracle.endAsked(running.id, key, reason);
    this.watch(running, running.server.end(key, reason), done);
  }

  private launch(id: number, network: Network): Running {
    const { oracle, options } = this;
    const link = new Link(this.storage, network, (key) => oracle.eventLost(key));
    const storage = new BufferedActivityStorage(link, {
      syncInterval: options.syncIntervalMs,
      touchInterval: options.touchIntervalMs,
      rememberedSessions: 4,
    });
    const server = new Server(storage, options, ({ type, sessionRef }) => {
      if (!running.crashed && type !== 'started') oracle.event(sessionRef, type);
    });
    const running = { id, server, link, crashed: false };
    return running;
  }

  private replace(slot: Slot): void {
    slot.running = this.launch(slot.running.id + SERVERS, slot.network);
    slot.links.push(slot.running.link);
  }

  /** What a server that crashed would have said counts for nothing. */
  private watch<T>(running: Running, answer: Promise<T>, done: (value: T) => void): void {
    answer.then(
      (value) => {
        if (!running.crashed) done(value);
      },
      (error: unknown) => this.oracle.broken.push(String(error)),
    );
  }

  private sweep(running: Running): void {
    const swept = running.server.sweep().catch(() => []);
    this.watch(running, swept, (keys) => this.oracle.swept(running.id, keys));
  }

  private crash(slot: Slot): void {
    const { running } = slot;
    running.crashed = true;
    running.link.cut();
    this.oracle.crashed(running.id);
    this.replace(slot);
  }

  /** Requests go to its successor from now on; what is under way is given a while to finish. */
  private stop(slot: Slot): void {
    const { id, server, link } = slot.running;
    server.stop().catch(() => this.oracle.crashed(id));
    setTimeout(() => link.cut(), 60_000);
    this.replace(slot);
  }

  private fail(
    server: number,
    { fault, ms, newestFirst }: Extract<Action, { fault: Fault }>,
  ): void {
    const slot = this.slots[server]!;
    const outage = ++slot.outages;
    slot.network.fault = fault;
    this.networkChanged(server);
    setTimeout(() => {
      if (slot.outages === outage) this.mend(server, newestFirst);
    }, ms);
  }

  private mend(server: number, newestFirst = false): void {
    const { network, links } = this.slots[server]!;
    network.fault = undefined;
    for (const link of links) link.release(newestFirst);
    this.networkChanged(server);
  }

  private networkChanged(server: number): void {
    const { delays, fault } = this.slots[server]!.network;
    const isWell = fault === undefined && 2 * Math.max(0, ...delays) <= LATENCY_MS;
    this.oracle.network(server, isWell);
  }

  private async calm(): Promise<void> {
    this.slots.forEach(({ network }, server) => {
      network.delays = [];
      this.mend(server);
    });
    await pass(RECOVERY_MS);
    this.oracle.calm();
  }

  private momentOf(person: string, moment: Moment): number {
    const record = this.oracle.stored(this.keys.get(person) ?? '');
    if (!record) return 0;
    const { startedAt, lastActivityAt, idleTimeoutMs } = record;
    switch (moment) {
      case 'half':
        return lastActivityAt + idleTimeoutMs / 2;
      case 'deadline':
        return lastActivityAt + idleTimeoutMs;
      case 'lock':
        return lastActivityAt + (this.options.lockAfterMs || idleTimeoutMs);
      case 'limit':
        return startedAt + (this.options.absoluteTimeoutMs || 0);
    }
  }

  /** Lets all sessions end. */
  private async close(): Promise<void> {
    await this.calm();
    await pass(200_000);
    for (const { running } of this.slots) this.sweep(running);
    await settle();
    this.oracle.closed();
  }
}
