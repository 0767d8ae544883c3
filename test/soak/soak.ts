import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { RedisServer } from '../support/redis-server.js';
import { AppProcess, type Memory } from './app-process.js';
import { askProcess, type What } from './ask-process.js';
import { EVENT_SLACK_MS, Faults } from './faults.js';
import { Person, SYNC_INTERVAL, type Answered } from '../model/answers-oracle.js';
import type { SoakOptions } from './options.js';
import { Random } from './random.js';
import { count, noCounts, thirds, type SoakReport } from './report.js';
import { Violations } from './violations.js';

/** How long an event is waited for on a busy machine, once a session is over for sure and unless it may have been lost. */
const EVENT_PATIENCE_MS = 20_000;
const MEMORY_SAMPLES = 12;

/**
 * People come, work, walk away or sign out, on two processes and a Redis that fail all the time, while a model beside
 * says of every answer whether it may be so.
 */
export class Soak {
  private readonly random: Random;
  private readonly people = new Map<string, Person>();
  private readonly violations = new Violations();
  private readonly counts = noCounts();
  private readonly stopping = new AbortController();
  private redis!: RedisServer;
  private processes!: readonly [AppProcess, AppProcess];
  private faults!: Faults;

  constructor(private readonly options: SoakOptions) {
    this.random = new Random(options.seed);
    setMaxListeners(0, this.stopping.signal);
  }

  async run(): Promise<SoakReport> {
    const { durationMs, sessions, killsProcesses, seed, onProgress = () => {} } = this.options;
    const watching = new AbortController();
    const watches: Promise<void>[] = [];
    try {
      await this.start();
      watches.push(...(await this.faults.watchAll(this.processes, watching.signal)));
      const faults = this.faults.run(this.stopping.signal);
      const everyPerson = Array.from({ length: sessions }, () => this.comeAndGo());
      // A process that is killed loses its memory, too.
      const measured = this.processes.slice(0, killsProcesses ? 1 : 2);
      const samples: Memory[][] = [];
      for (let sample = 0; sample < MEMORY_SAMPLES; sample++) {
        await delay(durationMs / MEMORY_SAMPLES);
        samples.push(await Promise.all(measured.map((process) => process.memory())));
        onProgress(`${sample + 1}/${MEMORY_SAMPLES} ${JSON.stringify(this.counts)}`);
      }
      this.stopping.abort();
      await Promise.all([faults, ...everyPerson]);
      await this.checkEnds();
      return {
        seed,
        sessions: this.people.size,
        ...this.counts,
        faults: this.faults.counts,
        memory: measured.map((_, index) => thirds(samples.map((sample) => sample[index]!))),
        violations: this.violations.told,
      };
    } finally {
      watching.abort();
      await Promise.all(this.processes?.map((process) => process.close()) ?? []);
      await RedisServer.stopAll();
      await Promise.all(watches);
    }
  }

  private async start(): Promise<void> {
    const { seed, idleTimeoutMs, lockAfterMs, killsProcesses } = this.options;
    this.redis = await RedisServer.start();
    const settings = {
      REDIS_URL: this.redis.url,
      IDLE_TIMEOUT_MS: String(idleTimeoutMs),
      LOCK_AFTER_MS: String(lockAfterMs),
    };
    const onEnded = (sessionRef: string) => {
      const person = this.people.get(sessionRef);
      if (person) this.judge(person, person.takeEnd(performance.now()));
    };
    this.processes = [new AppProcess(0, settings, onEnded), new AppProcess(1, settings, onEnded)];
    await Promise.all(this.processes.map((process) => process.start()));
    const mortal = killsProcesses ? [this.processes[1]] : [];
    this.faults = new Faults(new Random(seed + 1), this.redis, mortal, [1500, idleTimeoutMs / 2]);
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  /** One session after the other, as long as the soak goes on. */
  private async comeAndGo(): Promise<void> {
    // Not all at once.
    await this.pause(0, this.options.idleTimeoutMs / 2);
    while (!this.stopped) {
      const person = await this.signIn();
      if (person) await this.live(person);
    }
  }

  private async live(person: Person): Promise<void> {
    const { random, options } = this;
    const T = options.idleTimeoutMs;
    // Some stay for as long as it goes on.
    const leavesAt = random.chance(0.3)
      ? Infinity
      : performance.now() + random.between(T / 4, 3 * T);
    while (!this.stopped && performance.now() < leavesAt) {
      // Some are away for so long that their session is locked when they come back.
      if (random.chance(0.1)) await this.pause(options.lockAfterMs, T - SYNC_INTERVAL);
      else await this.pause(T / 6, T / 2.5);
      if (!(await this.work(person))) return;
    }
    if (random.chance(0.3)) await this.signOut(person);
    else await this.walkAway(person);
  }

  /** Does something until it was heard. False if the person is out. */
  private async work(person: Person): Promise<boolean> {
    if (this.random.chance(0.3)) await this.ask(person, 'poll');
    let what = this.random.pick<What>(['me', 'me', 'heartbeat']);
    for (;;) {
      const { served, locked, out } = await this.ask(person, what);
      if (out) this.counts.unheard++;
      if (served && what === 'unlock') this.counts.unlocked++;
      if (served || out) return served;
      if (locked) what = 'unlock';
      else await this.tryAgainLater();
      if (this.stopped) return true;
    }
  }

  private async signOut(person: Person): Promise<void> {
    person.signsOut();
    while (!(await this.ask(person, 'sign-out')).out) await this.tryAgainLater();
    for (const wait of [0, SYNC_INTERVAL / 2, 1.5 * SYNC_INTERVAL]) {
      await delay(wait);
      for (const process of this.processes) await this.ask(person, 'me', process);
    }
  }

  /** Nobody asks for some; the open pages of others poll on; others come back when it is too late. */
  private async walkAway(person: Person): Promise<void> {
    const { random } = this;
    const polls = random.chance(0.5);
    while (performance.now() < person.overFrom()) {
      await delay(random.between(0.1, 0.3) * this.options.idleTimeoutMs);
      if (polls) await this.ask(person, 'poll');
    }
    const comesBack = !this.options.everyEndIsTold || random.chance(0.3);
    if (!comesBack) return;
    // Of all that see the end at once, one may tell it.
    const backAtBoth = () =>
      Promise.all(
        this.processes.map((process) =>
          this.ask(person, random.pick<What>(['me', 'heartbeat', 'poll']), process),
        ),
      );
    while (!(await backAtBoth()).every(({ served, locked, out }) => served || locked || out))
      await this.tryAgainLater();
  }

  private async signIn(): Promise<Person | undefined> {
    while (!this.stopped) {
      const process = this.random.pick(this.processes);
      const sentAt = performance.now();
      const { kills, isDown } = process;
      const { status, cookie, body } = await process.ask('POST', '/sign-in');
      count(this.counts, status);
      if (status === 200 && cookie !== undefined && body.sessionRef !== undefined) {
        this.counts.served++;
        const person = new Person(cookie, this.options, this.faults);
        this.people.set(body.sessionRef, person);
        const served = { status, served: true, locked: false, out: false, idleForMs: 0 };
        const answeredAt = performance.now();
        person.take({ what: 'sign-in', process: process.index, sentAt, answeredAt, ...served });
        return person;
      }
      const mayBreak = isDown || process.isDown || process.kills !== kills;
      if (status !== 503 && !(status === 0 && mayBreak))
        this.violations.add(`sign-in answered ${status}`, []);
      await this.tryAgainLater();
    }
    return undefined;
  }

  private async ask(
    person: Person,
    what: What,
    process: AppProcess = this.random.pick(this.processes),
  ): Promise<Answered> {
    const idleForMs = what === 'heartbeat' ? Math.round(this.random.between(0, 500)) : 0;
    const { kills, isDown } = process;
    const sentAt = performance.now();
    const { status, body, broke } = await askProcess(process, what, person.cookie, idleForMs);
    const locked = body.reason === 'locked' || (status === 200 && body.state === 'locked');
    const answered: Answered = {
      what,
      process: process.index,
      sentAt,
      answeredAt: performance.now(),
      idleForMs: what === 'poll' ? Infinity : idleForMs,
      status,
      served: status === 200 && (body.state === 'active' || body.state === 'warning'),
      locked,
      out:
        (status === 401 && !locked) || status === 204 || (status === 200 && body.state === 'none'),
    };
    count(this.counts, status);
    if (answered.served) this.counts.served++;
    this.judge(person, person.take(answered));
    if (status === 0 && !isDown && !process.isDown && process.kills === kills)
      this.judge(person, `a connection broke: ${broke}`);
    return answered;
  }

  private judge(person: Person, wrong: string | undefined): void {
    if (wrong !== undefined)
      this.violations.add(wrong, [person.history(), ...this.faults.told.slice(-10)]);
  }

  /** Waits until every session is over for sure, and looks for ends that were not told. */
  private async checkEnds(): Promise<void> {
    if (!this.options.everyEndIsTold) return;
    const people = [...this.people.values()];
    const mayCome = (person: Person) => {
      const patienceMs = this.faults.mayHaveLostEndOf(person) ? EVENT_SLACK_MS : EVENT_PATIENCE_MS;
      return person.endEvents === 0 && performance.now() < person.overFrom() + patienceMs;
    };
    while (people.some(mayCome)) await delay(100);
    for (const person of people) {
      if (person.endEvents > 0) continue;
      if (this.faults.mayHaveLostEndOf(person)) this.counts.untold++;
      else this.judge(person, 'an end was not told');
    }
  }

  /** Many at once who try again at once would keep the app from getting up. */
  private async tryAgainLater(): Promise<void> {
    await delay(this.random.between(1 / 30, 1 / 10) * this.options.idleTimeoutMs);
  }

  private async pause(fromMs: number, toMs: number): Promise<void> {
    const { signal } = this.stopping;
    await delay(this.random.between(fromMs, toMs), undefined, { signal }).catch(() => {});
  }
}
