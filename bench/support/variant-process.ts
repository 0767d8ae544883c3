import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Profiler } from 'node:inspector';
import { join } from 'node:path';
import type { VariantName, VariantOptions } from './variants.js';

/** What a variant is asked, and answers. */
export interface VariantAnswer {
  readonly cpu: NodeJS.CpuUsage;
  readonly startProfile: void;
  readonly stopProfile: Profiler.Profile;
}
export type VariantQuestion = keyof VariantAnswer;

/** A variant in a process of its own: what one leaves to be collected, no other has to pay for. Always `stop()` it. */
export class VariantProcess {
  private constructor(
    readonly name: VariantName,
    private readonly child: ChildProcess,
    readonly socketPath: string,
    readonly sessions: number,
  ) {}

  static async start(name: VariantName, options: VariantOptions): Promise<VariantProcess> {
    const main = join(import.meta.dirname, 'variant-main.js');
    const child = fork(main, [name, JSON.stringify(options)]);
    const [socketPath] = (await once(child, 'message')) as [string];
    return new VariantProcess(name, child, socketPath, options.sessions);
  }

  /** CPU that it has used so far, in all of its threads, in µs. */
  async cpuUs(): Promise<number> {
    const { user, system } = await this.ask('cpu');
    return user + system;
  }

  async ask<Q extends VariantQuestion>(question: Q): Promise<VariantAnswer[Q]> {
    const answered = once(this.child, 'message') as Promise<[{ answer: VariantAnswer[Q] }]>;
    this.child.send(question);
    return (await answered)[0].answer;
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.disconnect();
    await exited;
  }
}
