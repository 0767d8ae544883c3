import { spawn, type ChildProcess } from 'node:child_process';

/** Ends the child when this process is gone, however it went: also when it could not do so itself. */
export function endWithMe(child: ChildProcess): void {
  // Reads to the end of its input, which comes when this process is gone.
  const watch = spawn('sh', ['-c', 'read _; kill -9 "$0"', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.once('exit', () => watch.kill('SIGKILL'));
}
