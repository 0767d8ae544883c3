import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import supertest, { type Response } from 'supertest';
import { endWithMe } from './end-with-me.js';
import { cookiesOf } from './cookies.js';

const ROOT = join(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'dist/apps/sample/src/main.js');
const WRONG_CLOCK = pathToFileURL(join(import.meta.dirname, 'wrong-clock.mjs')).href;

const children = new Set<ChildProcess>();

/** One process of the built sample app, listening on a port of its own. Always `killAll()` in the end. */
export class ClaimsDesk {
  /** A request without cookies. */
  readonly ask: ReturnType<typeof supertest>;

  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    /** What it wrote to standard error. */
    readonly log: string[],
  ) {
    this.ask = supertest(url);
  }

  /**
   * @param settings its environment, in which it waits long for a Redis on a busy machine unless they say otherwise
   * @param clockSkewMs by how much its clock is ahead
   */
  static async start(settings: Record<string, string>, clockSkewMs = 0): Promise<ClaimsDesk> {
    const child = spawn(process.execPath, ['--import', WRONG_CLOCK, MAIN], {
      cwd: ROOT,
      env: {
        PATH: process.env.PATH,
        PORT: '0',
        SESSION_SECRET: 'the same secret in every process',
        STORAGE_TIMEOUT: '20s',
        CLOCK_SKEW_MS: String(clockSkewMs),
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(child);
    endWithMe(child);
    const log: string[] = [];
    createInterface(child.stderr).on('line', (line) => log.push(line));
    for await (const line of createInterface(child.stdout)) {
      const [url] = /http:\/\/\S+/.exec(line) ?? [];
      if (url) return new ClaimsDesk(child, url, log);
    }
    throw new Error(`Claims desk did not start; is it built?\n${log.join('\n')}`);
  }

  /** Signs the demo user in; the `Cookie` header that is theirs from now on. */
  async signIn(): Promise<string> {
    const form = { username: 'demo', password: 'demo' };
    return cookiesOf(await this.ask.post('/login').type('form').send(form).expect(303));
  }

  /** Who is signed in, if anybody. */
  me(cookie: string): Promise<Response> {
    return this.ask.get('/api/me').set('Cookie', cookie).then();
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    await kill(this.child);
  }

  /** Ends all that were started, also those that did not get as far as to listen. */
  static async killAll(): Promise<void> {
    await Promise.all(Array.from(children, kill));
  }
}

async function kill(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
