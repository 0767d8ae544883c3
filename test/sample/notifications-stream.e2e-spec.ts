import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { MemoryActivityStorage } from 'nestjs-idle-session';
import { ManualClock } from 'nestjs-idle-session/testing';
import supertest from 'supertest';
import { createApp } from '../../apps/sample/src/create-app.js';
import { readSettings } from '../../apps/sample/src/settings.js';
import { cookiesOf } from '../support/cookies.js';
import { MINUTE } from '../support/durations.js';
import { EventStream } from '../support/event-stream.js';
import { until } from '../support/until.js';

const CLAIM = { kind: 'Water damage', date: '2026-01-31', place: 'Kitchen', account: 'A pipe.' };
const STREAM = '/api/notifications/stream';

let app: NestExpressApplication;
let clock: ManualClock;
let url: string;
let cookie: string;

beforeAll(async () => {
  Logger.overrideLogger(false);
  clock = new ManualClock();
  app = await createApp(readSettings({ SESSION_SECRET: 'a secret for the tests' }), {
    storage: new MemoryActivityStorage({ now: clock.now }),
  });
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
});

beforeEach(async () => {
  cookie = await signIn();
});

afterAll(() => app?.close());

async function signIn(): Promise<string> {
  const form = { username: 'demo', password: 'demo' };
  return cookiesOf(await supertest(url).post('/login').type('form').send(form).expect(303));
}

async function sendClaim(cookieOfSender = cookie): Promise<void> {
  const request = supertest(url).post('/claims/new').set('Cookie', cookieOfSender);
  await request.type('form').send(CLAIM).expect(303);
}

/** How many notifications each message of the stream lists. */
const counts = ({ events }: EventStream) =>
  events.map(({ data }) => (data as { notifications: unknown[] }).notifications.length);

describe('The stream of notifications', () => {
  it('lists them at once, and again when the person sends a claim, also from another browser', async () => {
    await sendClaim();
    const stream = await EventStream.open(url + STREAM, cookie);
    await until('the list is there', () => stream.events.length === 1);
    const { body } = await supertest(url).get('/api/notifications').set('Cookie', cookie);
    expect(stream.events).toEqual([{ type: 'message', data: body }]);
    await sendClaim();
    await sendClaim(await signIn());
    await until('both claims are there', () => stream.events.length === 3);
    expect(counts(stream)).toEqual([2, 3, 4]);
    stream.close();
  });

  it('is refused without a session, which ends an EventSource for good', async () => {
    const answer = await supertest(url).get(STREAM).set('Accept', 'text/event-stream');
    expect(answer.status).toBe(401);
  });

  it('is no activity, nor is what it sends', async () => {
    const sender = await signIn();
    const stream = await EventStream.open(url + STREAM, cookie);
    for (let minute = 0; minute < 14; minute++) {
      clock.advance(MINUTE);
      await sendClaim(sender);
    }
    await until('all have arrived', () => stream.events.length === 15);
    (await EventStream.open(url + STREAM, cookie)).close();
    clock.advance(MINUTE);
    const answer = await supertest(url).get('/api/me').set('Cookie', cookie).expect(401);
    expect(answer.body.reason).toBe('idle');
    stream.close();
  });

  it('ends when the app shuts down, which does not wait for its clients', async () => {
    const stream = await EventStream.open(url + STREAM, cookie);
    await app.close();
    await until('it has ended', () => stream.isEnded);
  });
});
