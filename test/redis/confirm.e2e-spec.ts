import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { IdleSessionService } from 'nestjs-idle-session';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { BufferedApps, page } from '../support/buffered-app.js';
import { ConfirmController } from '../support/confirm-controller.js';
import { cookiesOf, sessionIdOf, setCookiesOf } from '../support/cookies.js';
import { Gate } from '../support/gate.js';
import { Stopwatch } from '../support/stopwatch.js';
import type { RedisApp } from '../support/redis-app.js';
import { until } from '../support/until.js';

const TRIALS = 20;

const apps = BufferedApps.forEachTest();

const aProcess = (options: Parameters<typeof apps.start>[1] = {}) =>
  apps.start({}, { ...options, metadata: { controllers: [ConfirmController] } });

const confirm = (app: RedisApp, cookie: string) => app.ask.post('/confirm').set('Cookie', cookie);

const rowOf = (cookie: string) => apps.admin.get(`sess:${sessionIdOf(cookie)}`);

const typesOf = (...of: RedisApp[]) =>
  of.flatMap(({ events }) => events.filter(({ cause }) => cause !== 'elsewhere'));

describe('A confirm on Redis', () => {
  it('holds in each process, and the old id in none', async () => {
    const [one, two] = [await aProcess(), await aProcess()];
    const before = await one.signIn();
    await page(two, before).expect(200);
    const after = cookiesOf(await confirm(one, before).expect(200));
    await two.ask.get('/email').set('Cookie', after).expect(200, { user: 'ada' });
    await until('the other process knows', async () => {
      const { status } = await two.ask.get('/members').set('Cookie', before);
      return status === 401;
    });
    expect(await rowOf(before)).toBeNull();
  });

  it('has one winner in two processes at once, and the person stays signed in', async () => {
    const [one, two] = [await aProcess(), await aProcess()];
    for (let trial = 0; trial < TRIALS; trial++) {
      const before = await one.signIn();
      const answers = await Promise.all([one, two, one, two].map((app) => confirm(app, before)));
      const won = answers.filter(({ body }) => body.isConfirmed);
      expect(won).toHaveLength(1);
      const cookies = answers.flatMap(setCookiesOf);
      expect(cookies).toHaveLength(1);
      for (const { status } of answers) expect([200, 401]).toContain(status);
      for (const app of [one, two])
        await app.ask.get('/email').set('Cookie', cookiesOf(won[0]!)).expect(200, { user: 'ada' });
    }
    expect(await apps.admin.keys('sess:*')).toHaveLength(TRIALS);
    const told = typesOf(one, two);
    expect(told.filter(({ type }) => type === 'started')).toHaveLength(2 * TRIALS);
    expect(told.filter(({ type }) => type === 'ended')).toHaveLength(TRIALS);
  });

  it('and a sign-out in another process at once leave nobody signed in who signed out first', async () => {
    const [one, two] = [await aProcess(), await aProcess()];
    for (let trial = 0; trial < TRIALS; trial++) {
      const before = await one.signIn();
      const [confirmed] = await Promise.all([
        confirm(one, before),
        two.ask.post('/sign-out').set('Cookie', before),
      ]);
      const ends = typesOf(one, two).filter(({ type }) => type === 'ended');
      const isConfirmed =
        ends.at(-1) && ends.some((end) => 'reason' in end && end.reason === 'confirmed');
      expect(confirmed.status === 200).toBe(isConfirmed === true);
      one.events.length = 0;
      two.events.length = 0;
      await one.ask.get('/members').set('Cookie', before).expect(401);
    }
  });

  it('and an end of all sessions in another process at once leave nobody signed in', async () => {
    const options = { ownerOf: ({ session }: Request) => session?.user };
    const [one, two] = [await aProcess({ options }), await aProcess({ options })];
    for (let trial = 0; trial < TRIALS; trial++) {
      const before = await one.signIn();
      const [confirmed] = await Promise.all([
        confirm(one, before),
        two.app.get(IdleSessionService).endAll('ada'),
      ]);
      for (const cookie of [before, cookiesOf(confirmed)].filter(Boolean))
        await two.ask.get('/members').set('Cookie', cookie).expect(401);
      expect(await one.app.get(IdleSessionService).list('ada')).toEqual([]);
    }
  });

  it.each([1, 2])(
    'and sign-ins in two processes at once leave at most %i alive',
    async (maxSessions) => {
      const options = { ownerOf: ({ session }: Request) => session?.user, maxSessions };
      const [one, two] = [await aProcess({ options }), await aProcess({ options })];
      for (let trial = 0; trial < TRIALS; trial++) {
        const before = await one.signIn();
        const answers = await Promise.all([
          two.ask.post('/sign-in'),
          confirm(one, before),
          one.ask.post('/sign-in'),
        ]);
        const cookies = [before, ...answers.map(cookiesOf)].filter(Boolean);
        const alive = await Promise.all(
          cookies.map((cookie) => two.ask.get('/members').set('Cookie', cookie)),
        );
        const count = alive.filter(({ status }) => status === 200).length;
        expect(count).toBeGreaterThan(0);
        expect(count).toBeLessThanOrEqual(maxSessions);
        expect(await two.app.get(IdleSessionService).list('ada')).toHaveLength(count);
      }
    },
  );

  it('is answered 503 in time when Redis hangs midway, and the session is as it was', async () => {
    const gate = new Gate();
    class HangingStorage extends RedisActivityStorage {
      override async end(...given: Parameters<RedisActivityStorage['end']>) {
        if (given[1] !== 'confirmed' || isOver) return super.end(...given);
        await gate.pass();
        throw new Error('cut off');
      }
    }
    let isOver = false;
    const one = await aProcess({
      storage: (client) => new HangingStorage(client),
      options: { storageTimeout: '5s' },
    });
    const before = await one.signIn();
    const stopwatch = new Stopwatch();
    const response = await confirm(one, before).expect(503);
    expect(stopwatch.stop()).toBeLessThan(20_000);
    expect(setCookiesOf(response)).toEqual([]);
    isOver = true;
    gate.open();
    await one.ask.get('/members').set('Cookie', before).expect(200, { user: 'ada' });
    const after = cookiesOf(await confirm(one, before).expect(200));
    await one.ask.get('/members').set('Cookie', after).expect(200, { user: 'ada' });
  });
});
