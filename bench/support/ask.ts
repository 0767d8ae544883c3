import { Agent, request } from 'node:http';

export interface Answer {
  /** Undefined: there was none in time. */
  readonly status: number | undefined;
  /** The `Cookie` header for the session that it sets, if it sets one. */
  readonly cookie: string | undefined;
  readonly afterMs: number;
}

const agent = new Agent({ keepAlive: true });

/** One request over a unix socket. */
export function ask(
  socketPath: string,
  target: `${'GET' | 'POST'} /${string}`,
  cookie = '',
  giveUpAfterMs = 10_000,
): Promise<Answer> {
  const [method, path] = target.split(' ');
  const headers = { Cookie: cookie };
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, headers, agent });
    const done = (status: number | undefined, cookies: readonly string[] = []) => {
      clearTimeout(timer);
      const [set] = cookies[0]?.split(';') ?? [];
      resolve({ status, cookie: set, afterMs: performance.now() - began });
    };
    const timer = setTimeout(() => {
      done(undefined);
      asked.destroy();
    }, giveUpAfterMs);
    asked.on('response', (response) => {
      response.resume();
      response.on('end', () => done(response.statusCode, response.headers['set-cookie']));
    });
    asked.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    asked.end();
  });
}
