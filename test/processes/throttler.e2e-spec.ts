import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { endWithMe } from '../support/end-with-me.js';

const APP = join(import.meta.dirname, 'support/throttled-app.mjs');

let child: ChildProcess;
let browser: ReturnType<typeof supertest.agent>;
beforeAll(async () => {
  child = fork(APP, { env: { PATH: process.env.PATH }, execArgv: [] });
  endWithMe(child);
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  browser = supertest.agent(`http://127.0.0.1:${port}`);
  await browser.post('/sign-in').expect(201);
});
afterAll(async () => {
  child.kill('SIGKILL');
  await once(child, 'exit');
});

describe('With @nestjs/throttler as APP_GUARD, ttl 60000 and limit 10', () => {
  it('the endpoints answer however many requests there were, and count for nothing', async () => {
    const heartbeat = () => browser.post('/idle-session/heartbeat').send({ idleForMs: 0 });
    for (let time = 0; time < 20; time++) await heartbeat().expect(200);

    // As many as it lets through: the endpoints used up none of them.
    for (let time = 0; time < 10; time++) await browser.get('/page').expect(200);
    for (let time = 0; time < 10; time++) await browser.get('/page').expect(429);

    for (let time = 0; time < 20; time++) {
      const { body } = await browser.get('/idle-session/status').expect(200);
      expect(body).toMatchObject({ state: 'active' });
      await heartbeat().expect(200);
    }
    await browser.get('/idle-session/client.js').expect(200);
    await browser.post('/idle-session/sign-out').expect(204);
    const { body } = await browser.get('/idle-session/status').expect(200);
    expect(body).toMatchObject({ state: 'expired', reason: 'signed-out' });
  });
});
