import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { passTime } from '../support/activity-records.js';
import { ClaimsDesk } from '../support/claims-desk.js';
import { MINUTE, SECOND } from '../support/durations.js';
import { EventStream } from '../support/event-stream.js';
import { RedisServer, type RedisClient } from '../support/redis-server.js';
import { until } from '../support/until.js';

const CLAIM = { kind: 'Water damage', date: '2026-01-31', place: 'Kitchen', account: 'A pipe.' };

/** A process without a subscriber hears of an end within its `syncInterval`, a second; the rest is for a busy machine. */
const TOLD_WITHIN_MS = 15 * SECOND;

let redis: RedisServer;
let admin: RedisClient;
let one: ClaimsDesk;
let two: ClaimsDesk;

beforeAll(async () => {
  redis = await RedisServer.start();
  admin = await redis.client();
  [one, two] = await Promise.all([start(), start()]);
});
afterAll(async () => {
  await ClaimsDesk.killAll();
  await RedisServer.stopAll();
});
beforeEach(async () => {
  await admin.flushAll();
});

const start = () => ClaimsDesk.start({ REDIS_URL: redis.url });

const openStream = (desk: ClaimsDesk, cookie: string) =>
  EventStream.open(`${desk.url}/api/notifications/stream`, cookie);

const poll = (desk: ClaimsDesk, cookie: string) =>
  desk.ask.get('/api/notifications').set('Cookie', cookie);

const signOut = (desk: ClaimsDesk, cookie: string) =>
  desk.ask.post('/logout').set('Cookie', cookie).expect(303);

/** The person sends a claim, of which each of their streams in that process tells. */
const sendClaim = (desk: ClaimsDesk, cookie: string) =>
  desk.ask.post('/claims/new').set('Cookie', cookie).type('form').send(CLAIM).expect(303);

const ends = [
  {
    reason: 'signed-out',
    how: 'is signed out in the other',
    end: (cookie: string) => signOut(two, cookie),
  },
  {
    reason: 'idle',
    how: 'is idle for too long',
    end: () => passTime(admin, 15 * MINUTE, 'claims-desk:activity:'),
  },
];

describe('A stream in one process and polling in another', () => {
  it.each(ends)(
    'are both refused the rest when their session $how, and deliver nothing afterwards',
    async ({ end, reason }) => {
      const cookie = await one.signIn();
      const stream = await openStream(one, cookie);
      await poll(two, cookie).expect(200);

      await end(cookie);
      const took = await until('the stream has ended', () => stream.isEnded);
      expect(took).toBeLessThan(TOLD_WITHIN_MS);
      expect(stream.events.at(-1)).toEqual({
        type: 'session-ended',
        data: { reason, loginUrl: '/login' },
      });
      await poll(two, cookie).expect(401);
      await expect(openStream(one, cookie)).rejects.toThrow('401');

      const later = await one.signIn();
      const other = await openStream(one, later);
      await until('the other stream has begun', () => other.events.length === 1);
      await sendClaim(one, later);
      await until('the other stream tells of the claim', () => other.events.length === 2);
      other.close();
    },
  );

  it('go on while another session of the same person ends', async () => {
    const [cookie, ending] = [await one.signIn(), await one.signIn()];
    const [stream, endingStream] = [await openStream(one, cookie), await openStream(one, ending)];
    await signOut(two, ending);
    await until('the stream of that session has ended', () => endingStream.isEnded);
    await sendClaim(one, cookie);
    await until('the other tells of the claim', () => stream.events.length === 2);
    await poll(two, cookie).expect(200);
    stream.close();
  });
});
