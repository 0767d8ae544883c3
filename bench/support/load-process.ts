import { fork, type ChildProcess } from 'node:child_process';
import { on, once } from 'node:events';
import { join } from 'node:path';
import { BEGINS, type EachOnce, type Load, type LoadResult } from './load.js';

/** Makes requests from a process of its own. Always `stop()` in the end. */
export class LoadProcess {
  private readonly child: ChildProcess = fork(join(import.meta.dirname, 'load.js'));

  /** @throws {Error} if any request was not answered with 200 */
  async eachOnce(job: EachOnce): Promise<void> {
    const { connections, sessions, socketPath } = job;
    const answered = once(this.child, 'message') as Promise<[LoadResult]>;
    this.child.send({ connections, sessions, socketPath } satisfies EachOnce);
    checked((await answered)[0]);
  }

  /**
   * @param begin called as the time that counts begins
   * @throws {Error} if any request was not answered with 200
   */
  async forAWhile(job: Load, begin: () => void): Promise<LoadResult> {
    const messages = on(this.child, 'message');
    this.child.send(job);
    for await (const [message] of messages) {
      if (message !== BEGINS) return checked(message as LoadResult);
      begin();
    }
    throw new Error('The load ended early');
  }

  stop(): void {
    this.child.disconnect();
  }
}

function checked(result: LoadResult): LoadResult {
  if (result.failed > 0) throw new Error(`${result.failed} requests failed`);
  return result;
}
