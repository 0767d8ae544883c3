import type { LoggerService } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import expressSession from 'express-session';
import supertest from 'supertest';
import { createTestApp, MINUTE, SECRET, type TestApp } from '../support/test-app.js';
import { sessionIdOf, setCookiesOf } from '../support/cookies.js';

let test: TestApp;
afterEach(() => test.app.close());

/** Its errors tell session ids, as those of real stores do. */
class TellingStore extends expressSession.MemoryStore {
  failing = false;

  override get(id: string, callback: Parameters<expressSession.MemoryStore['get']>[1]): void {
    if (this.failing) callback(new Error(`cannot read sess:${id}`));
    else super.get(id, callback);
  }
}

describe('The raw session id', () => {
  it('is in the cookie, and in no event, log line, body or other header', async () => {
    const lines: unknown[] = [];
    const note = (...line: unknown[]) => void lines.push(line.map(describeLine));
    const logger: LoggerService = {
      log: note,
      warn: note,
      error: note,
      debug: note,
      verbose: note,
    };
    const store = new TellingStore();
    test = await createTestApp({
      options: { loginUrl: '/login', session: { secret: SECRET, store } },
      configure: (app) => app.useLogger(logger),
    });
    const to = supertest(test.app.getHttpServer());
    const said: string[] = [];
    const ids: string[] = [];
    let cookie = '';
    const ask = async (method: 'get' | 'post', path: string, body?: object) => {
      const response = await to[method](path).set('Cookie', cookie).send(body);
      const headers = { ...response.headers, 'set-cookie': undefined };
      said.push(JSON.stringify(headers), response.text);
      for (const header of setCookiesOf(response)) {
        cookie = header.split(';')[0]!;
        ids.push(sessionIdOf(cookie));
      }
    };
    const signIn = () => ask('post', '/sign-in', {});

    await signIn();
    await ask('get', '/page');
    await ask('get', '/broken');
    await ask('get', '/exempt');
    await ask('get', '/idle-session/status');
    await ask('post', '/idle-session/heartbeat', { idleForMs: 0 });
    await ask('post', '/idle-session/heartbeat', { idleForMs: -1 });
    store.failing = true;
    await ask('get', '/page');
    store.failing = false;
    await ask('get', '/page');
    test.clock.advance(15 * MINUTE);
    await ask('get', '/page');
    await signIn();
    await ask('post', '/idle-session/sign-out');
    await signIn();
    await new Promise((resolve) => store.clear(resolve));
    test.clock.advance(MINUTE);
    await ask('get', '/page');

    expect(ids).toHaveLength(3);
    expect(lines.length).toBeGreaterThanOrEqual(3);
    expect(test.events.map(({ type }) => type).join(' ')).toBe(
      'started expired started ended started ended',
    );
    const everything = JSON.stringify([test.events, lines, said]);
    for (const id of ids) expect(everything).not.toContain(id);
  });
});

/** What a logger could write of a value; errors with all they hold. */
function describeLine(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return [value.message, value.stack, value.cause && describeLine(value.cause)];
}
