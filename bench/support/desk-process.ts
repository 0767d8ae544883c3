import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Kind } from './desk.js';

export interface DeskOptions {
  readonly kind: Kind;
  readonly redisUrl: string;
  readonly idleTimeoutMs: number;
  /** By how much its clock is ahead; default 0. */
  readonly clockSkewMs?: number;
}

const WRONG_CLOCK = pathToFileURL('test/support/wrong-clock.mjs').href;

/** A desk in a process of its own. Always `stop()` in the end. */
export class DeskProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly socketPath: string,
  ) {}

  static async start(options: DeskOptions): Promise<DeskProcess> {
    const child = fork(join(import.meta.dirname, 'desk-main.js'), [JSON.stringify(options)], {
      execArgv: ['--import', WRONG_CLOCK],
      env: { ...process.env, CLOCK_SKEW_MS: String(options.clockSkewMs ?? 0) },
    });
    const [socketPath] = (await once(child, 'message')) as [string];
    return new DeskProcess(child, socketPath);
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.disconnect();
    await exited;
  }
}
