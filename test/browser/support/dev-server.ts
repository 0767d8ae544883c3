import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { endWithMe } from '../../support/end-with-me.js';

/** Vite as a developer runs it: a change of a file changes the open page. */
export class DevServer {
  private constructor(
    readonly url: string,
    readonly child: ChildProcess,
  ) {}

  /** @param backend where the endpoints of the session are */
  static async start(framework: string, folder: string, backend: string): Promise<DevServer> {
    const program = join(import.meta.dirname, 'vite.mjs');
    const child = fork(program, ['serve', framework, backend], { cwd: folder, execArgv: [] });
    endWithMe(child);
    const [url] = (await once(child, 'message')) as [string];
    return new DevServer(url, child);
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.disconnect();
    await exited;
  }
}
