import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { IdleSessionModule, type IdleSessionModuleOptions } from 'nestjs-idle-session';
import { MINUTE, type TestAppOptions } from '../support/test-app.js';
import { CROSS_SITE, expectEnded, SAME_SITE, statusOf, type Browser } from '../support/requests.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();
const ownerOf = ({ session }: Request) => session.user;

const appWith = (options: TestAppOptions['options'] = {}, more: TestAppOptions = {}) =>
  start({ ...more, options: { ownerOf, sessionsEndpoint: true, ...options } });

const refOf = async (browser: Browser) => (await statusOf(browser)).sessionRef!;

const PROBLEM = /^application\/problem\+json/;
const SESSIONS = '/idle-session/sessions';

describe('The endpoint of a person’s sessions', () => {
  it('is not there unless the options ask for it', async () => {
    const test = await appWith({ sessionsEndpoint: undefined });
    const ada = await test.signedIn();
    await ada.get(SESSIONS).expect(404);
    await ada.delete(SESSIONS).expect(404);
    await ada.delete(`${SESSIONS}/${await refOf(ada)}`).expect(404);
    await ada.get('/members').expect(200);
  });

  it.each([
    [
      'forRoot()',
      (options: IdleSessionModuleOptions) => IdleSessionModule.forRoot({ ...options, path: false }),
    ],
    [
      'forRootAsync()',
      (options: IdleSessionModuleOptions) =>
        IdleSessionModule.forRootAsync({ path: false, useFactory: () => options }),
    ],
  ])('stops the start where no endpoints are mounted: %s', async (_, imported) => {
    await expect(appWith({}, { importing: (options) => [imported(options)] })).rejects.toThrow(
      `Option "path" got false; it takes a path such as 'idle-session', where there is option "sessionsEndpoint".`,
    );
  });

  it('lists them in durations, and no cache keeps that', async () => {
    const test = await appWith({ describe: () => ({ browser: 'Firefox' }) });
    const ada = await test.signedIn();
    test.clock.advance(MINUTE);
    const other = await test.signedIn();
    await test.signedIn({ user: 'bob' });
    test.clock.advance(MINUTE);
    const { body } = await ada.get(SESSIONS).expect(200).expect('Cache-Control', 'no-store');
    const description = { browser: 'Firefox' };
    expect(body).toEqual([
      { ref: await refOf(other), current: false, description, ageMs: MINUTE, idleForMs: MINUTE },
      {
        ref: await refOf(ada),
        current: true,
        description,
        ageMs: 2 * MINUTE,
        idleForMs: 2 * MINUTE,
      },
    ]);
  });

  it('is no activity where it is read, and is where a person ends a session', async () => {
    const test = await appWith();
    const [ada, other] = [await test.signedIn(), await test.signedIn()];
    test.clock.advance(MINUTE);
    await ada.get(SESSIONS).expect(200);
    expect((await statusOf(ada)).expiresInMs).toBe(14 * MINUTE);
    await ada.delete(`${SESSIONS}/${await refOf(other)}`).expect(204);
    expect((await statusOf(ada)).expiresInMs).toBe(15 * MINUTE);
    test.clock.advance(MINUTE);
    await ada.delete(SESSIONS).set('Idle-Session', 'passive').expect(200);
    expect((await statusOf(ada)).expiresInMs).toBe(14 * MINUTE);
  });

  it('ends one of them as revoked, by the person', async () => {
    const test = await appWith();
    const [ada, other] = [await test.signedIn(), await test.signedIn()];
    const ref = await refOf(other);
    await ada.delete(`${SESSIONS}/${ref}`).expect(204);
    await expectEnded(other, 'revoked');
    expect(test.events.at(-1)).toMatchObject({
      type: 'ended',
      sessionRef: ref,
      reason: 'revoked',
      endedBy: 'ada',
    });
    await ada.delete(`${SESSIONS}/${ref}`).expect(404);
    await ada.get('/members').expect(200);
  });

  it('signs the person out who ends the session that they are in', async () => {
    const test = await appWith();
    const ada = await test.signedIn();
    await ada.delete(`${SESSIONS}/${await refOf(ada)}`).expect(204);
    expect(await statusOf(ada)).toMatchObject({ state: 'expired', reason: 'signed-out' });
    expect(test.events.at(-1)).not.toHaveProperty('endedBy');
  });

  it('ends all others, and says how many', async () => {
    const test = await appWith();
    const [ada, second, third] = [
      await test.signedIn(),
      await test.signedIn(),
      await test.signedIn(),
    ];
    const bob = await test.signedIn({ user: 'bob' });
    await ada.delete(SESSIONS).expect(200, { ended: 2 });
    await ada.delete(SESSIONS).expect(200, { ended: 0 });
    for (const ended of [second, third]) await expectEnded(ended, 'revoked');
    for (const kept of [ada, bob]) await kept.get('/members').expect(200);
  });

  it('is under the path and the prefix of the app', async () => {
    const configure: TestAppOptions['configure'] = (app) => app.setGlobalPrefix('api');
    const test = await start({
      configure,
      options: { ownerOf, sessionsEndpoint: true, path: 'me' },
    });
    const ada = test.browser();
    await ada.post('/api/sign-in').send({}).expect(200);
    expect((await ada.get('/api/me/sessions').expect(200)).body).toHaveLength(1);
  });

  it('leaves what it does not know to the app', async () => {
    const test = await appWith();
    const ada = await test.signedIn();
    await ada.post(SESSIONS).expect(404);
    await ada.put(`${SESSIONS}/x`).expect(404);
    await ada.get(`${SESSIONS}/${await refOf(ada)}`).expect(404);
    await ada.delete(`${SESSIONS}/x/y`).expect(404);
    await ada.get('/members').expect(200);
  });
});

describe('An attacker', () => {
  it('who knows the reference of another person’s session is answered as for one that there is not', async () => {
    const test = await appWith();
    const [ada, eve] = [await test.signedIn(), await test.signedIn({ user: 'eve' })];
    const known = await eve.delete(`${SESSIONS}/${await refOf(ada)}`).expect(404);
    const unknown = await eve.delete(`${SESSIONS}/${'a'.repeat(22)}`).expect(404);
    expect(known.body).toEqual(unknown.body);
    expect(known.headers['content-type']).toMatch(PROBLEM);
    await ada.get('/members').expect(200);
  });

  it.each([
    '__proto__',
    'constructor',
    'sessions',
    '*',
    '%00',
    '%23',
    '%23active',
    '..%2fsessions',
    '%20',
    `${'a'.repeat(4000)}`,
  ])('ends nothing by a reference such as %.20s', async (ref) => {
    const test = await appWith();
    const [ada, other] = [await test.signedIn(), await test.signedIn()];
    await ada.delete(`${SESSIONS}/${ref}`).expect(404);
    for (const kept of [ada, other]) await kept.get('/members').expect(200);
  });

  it.each(CROSS_SITE)('on another site gets and ends nothing: %o', async (headers) => {
    const test = await appWith();
    const [ada, other] = [await test.signedIn(), await test.signedIn()];
    const ref = await refOf(other);
    const { body } = await ada.get(SESSIONS).set(headers).expect(403);
    expect(JSON.stringify(body)).not.toContain(ref);
    await ada.delete(SESSIONS).set(headers).expect(403);
    await ada.delete(`${SESSIONS}/${ref}`).set(headers).expect(403);
    await other.get('/members').expect(200);
  });

  it.each(SAME_SITE)('is not the site itself: %o', async (headers) => {
    const test = await appWith();
    const ada = await test.signedIn();
    await ada.get(SESSIONS).set(headers).expect(200);
    await ada.delete(SESSIONS).set(headers).expect(200);
  });

  it('without a session, or with one that belongs to nobody, gets 401', async () => {
    const test = await appWith();
    const stranger = test.browser();
    await stranger.post('/page').send({ note: 'of nobody' }).expect(200);
    for (const browser of [test.browser(), stranger]) {
      for (const answer of [
        await browser.get(SESSIONS),
        await browser.delete(SESSIONS),
        await browser.delete(`${SESSIONS}/${'a'.repeat(22)}`),
      ]) {
        expect(answer.status).toBe(401);
        expect(answer.headers).toMatchObject({
          'content-type': expect.stringMatching(PROBLEM),
          'cache-control': 'no-store',
        });
        expect(answer.body).toMatchObject({ status: 401, title: 'Unauthorized' });
        expect(answer.body).not.toHaveProperty('reason');
      }
    }
  });

  it('with a session that ended gets 401 with the reason, and ends nothing', async () => {
    const test = await appWith();
    const ada = await test.signedIn();
    test.clock.advance(MINUTE);
    const other = await test.signedIn();
    test.clock.advance(14 * MINUTE);
    await expectEnded(ada, 'idle', SESSIONS);
    await ada.delete(SESSIONS).expect(401);
    await ada.delete(`${SESSIONS}/${await refOf(other)}`).expect(401);
    await other.get('/members').expect(200);
  });
});
