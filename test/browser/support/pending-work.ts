/** What a page that counts shows. */
export interface PendingWork {
  readonly pendingWork: number;
}

/**
 * Runs in the page. Counts what is asked of the server and of the browser's encryption, and the short timers of offers,
 * until the code that waited for them has run.
 */
export function countPendingWork(): void {
  const LONGEST_TIMER_MS = 150;
  const watched = window as unknown as { pendingWork: number };
  watched.pendingWork = 0;
  const [later, cancel] = [window.setTimeout, window.clearTimeout];
  const done = () => void later(() => (watched.pendingWork -= 1));
  const count = (owner: object, name: string) => {
    const method = Reflect.get(owner, name) as (...args: unknown[]) => Promise<unknown>;
    Reflect.set(owner, name, function counted(this: unknown, ...args: unknown[]) {
      watched.pendingWork += 1;
      const answer = method.apply(this, args);
      answer.then(done, done);
      return answer;
    });
  };
  count(window, 'fetch');
  count(Response.prototype, 'json');
  // Not there on an insecure page.
  if (crypto.subtle)
    for (const name of ['importKey', 'encrypt', 'decrypt']) count(SubtleCrypto.prototype, name);
  const timers = new Set<number>();
  Reflect.set(window, 'setTimeout', (run: () => void, delayMs = 0) => {
    if (delayMs > LONGEST_TIMER_MS) return later(run, delayMs);
    watched.pendingWork += 1;
    const timer = later(() => {
      if (timers.delete(timer)) done();
      run();
    }, delayMs);
    timers.add(timer);
    return timer;
  });
  Reflect.set(window, 'clearTimeout', (timer: number) => {
    if (timers.delete(timer)) done();
    cancel(timer);
  });
}
