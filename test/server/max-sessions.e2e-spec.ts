import { describe, expect, it, jest } from '@jest/globals';
import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { TooManySessionsException } from 'nestjs-idle-session';
import { MINUTE, SECOND, SECRET, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { expectEnded, statusOf, type Browser } from '../support/requests.js';
import { ConfirmController } from '../support/confirm-controller.js';
import { SignInWays } from '../support/sign-in-ways.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();
const ownerOf = ({ session }: Request) => session.user;

const appWith = (options: TestAppOptions['options'] = {}, more: TestAppOptions = {}) =>
  start({
    metadata: { controllers: [SignInWays] },
    ...more,
    options: { ownerOf, maxSessions: 2, ...options },
  });

const signedIn = async (test: TestApp, count: number) => {
  const browsers: Browser[] = [];
  while (browsers.length < count) {
    browsers.push(await test.signedIn());
    test.clock.advance(SECOND);
  }
  return browsers;
};

const ownerHashOf = async (test: TestApp, browser: Browser) =>
  (await test.storage.read((await statusOf(browser)).sessionRef!)).record!.owner!;

describe('maxSessions', () => {
  it('ends the session that started first, and tells who took its place', async () => {
    const test = await appWith();
    const [first, second, third] = await signedIn(test, 3);
    await expectEnded(first!, 'revoked');
    await second!.get('/members').expect(200);
    await third!.get('/members').expect(200);
    expect(test.events.filter(({ type }) => type === 'ended')).toMatchObject([
      { reason: 'revoked', cause: 'request', endedBy: 'ada' },
    ]);
    expect(await test.sessions.list('ada')).toHaveLength(2);
  });

  it('counts each person for themselves, and no session of nobody', async () => {
    const test = await appWith({ maxSessions: 1 });
    const ada = await test.signedIn();
    const bob = await test.signedIn({ user: 'bob' });
    for (let stranger = 0; stranger < 3; stranger++)
      await test.browser().post('/page').send({ note: 'of nobody' }).expect(200);
    await ada.get('/members').expect(200);
    await bob.get('/members').expect(200);
  });

  it.each(['end-oldest', 'refuse'] as const)(
    'lets a person confirm who has as many sessions as they may have (%s)',
    async (onMaxSessions) => {
      const metadata = { controllers: [ConfirmController] };
      const test = await appWith({ onMaxSessions }, { metadata });
      const [ada, other] = await signedIn(test, 2);
      await ada!.post('/confirm').expect(200);
      await other!.get('/members').expect(200);
      await ada!.get('/members').expect(200);
      expect(await test.sessions.list('ada')).toHaveLength(2);
    },
  );

  it('counts a session once that gets a new id', async () => {
    const test = await appWith();
    const [ada, other] = await signedIn(test, 2);
    for (let again = 0; again < 3; again++) await ada!.post('/sign-in').send({}).expect(200);
    await other!.get('/members').expect(200);
    expect(await test.sessions.list('ada')).toHaveLength(2);
  });

  it('counts no session that ended, nor one whose time is up', async () => {
    const test = await appWith({ onMaxSessions: 'refuse' });
    const [first] = await signedIn(test, 2);
    await first!.post('/idle-session/sign-out').expect(204);
    await test.signedIn();
    test.clock.advance(15 * MINUTE);
    await signedIn(test, 2);
    await test.browser().post('/sign-in').send({}).expect(409);
    const idle = test.events.filter((event) => event.type === 'expired');
    expect(idle).toHaveLength(2);
  });

  it('counts a session that may be about to start, for half a minute', async () => {
    const test = await appWith({ onMaxSessions: 'refuse' });
    const ada = await test.signedIn();
    const owner = await ownerHashOf(test, ada);
    await test.storage.index.add(owner, { key: 'crashed', description: {}, keepForMs: null });
    await test.browser().post('/sign-in').send({}).expect(409);
    test.clock.advance(31 * SECOND);
    await test.signedIn();
    await test.browser().post('/sign-in').send({}).expect(409);
  });

  it('is asked for each sign-in where it is a function', async () => {
    const test = await appWith({
      maxSessions: async ({ session }) => (session.role === 'kiosk' ? Infinity : 1),
    });
    const kiosks = [
      await test.signedIn({ role: 'kiosk' }),
      await test.signedIn({ role: 'kiosk' }),
      await test.signedIn({ role: 'kiosk' }),
    ];
    for (const kiosk of kiosks) await kiosk.get('/members').expect(200);
    const ada = await test.signedIn();
    for (const kiosk of kiosks) await expectEnded(kiosk, 'revoked');
    await ada.get('/members').expect(200);
  });

  it.each([0, 1.5, -1, NaN, '2', null, undefined])(
    'fails the sign-in where the function returns %p, and the error names the option',
    async (max) => {
      const logger = new RecordingLogger();
      const test = await appWith({ maxSessions: () => max as number }, { logger });
      await test.browser().post('/sign-in').send({}).expect(500);
      expect(logger.errors.join()).toMatch(/"maxSessions" got .* it takes a whole number/);
      expect(await test.sessions.list('ada')).toEqual([]);
    },
  );

  it('counts the sessions from before the secret was changed', async () => {
    const [older, newer] = ['the secret until yesterday', 'the secret from today on'];
    const before = await appWith({ session: { secret: older } });
    await signedIn(before, 2);
    for (const [onMaxSessions, status] of [
      ['refuse', 409],
      ['end-oldest', 200],
    ] as const) {
      const { storage } = before;
      const after = await appWith({
        storage,
        session: { secret: [newer, older] },
        onMaxSessions,
      });
      await after.browser().post('/sign-in').send({}).expect(status);
      expect(await after.sessions.list('ada')).toHaveLength(2);
    }
  });

  it('holds for a person who signs in without a new session id', async () => {
    const test = await appWith();
    await signedIn(test, 2);
    const browser = test.browser();
    await browser.post('/page').send({ note: 'a basket, say' }).expect(200);
    await browser.post('/sign-in-same-id').send({}).expect(200);
    expect(await test.sessions.list('ada')).toHaveLength(2);
    await browser.get('/members').expect(200);
  });
});

describe("With onMaxSessions: 'refuse', a sign-in too many", () => {
  it.each(['/sign-in', '/sign-in-same-id', '/sign-in-unsaved'])(
    'is answered 409 with the reason, without a cookie and without a session: %s',
    async (path) => {
      const test = await appWith({ onMaxSessions: 'refuse' });
      const people = await signedIn(test, 2);
      const answer = await test.browser().post(path).send({}).expect(409);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(answer.headers).not.toHaveProperty('set-cookie');
      expect(answer.body).toEqual({
        type: 'urn:nestjs-idle-session:too-many-sessions',
        title: 'Too many sessions',
        status: 409,
        detail: expect.any(String),
        reason: 'too-many-sessions',
        maxSessions: 2,
      });
      for (const ada of people) await ada.get('/members').expect(200);
      expect(test.storage.size).toBe(2);
      expect(test.events).toHaveLength(2);
    },
  );

  it('signs nobody in on the session that they had before', async () => {
    const test = await appWith({ onMaxSessions: 'refuse' });
    await signedIn(test, 2);
    const browser = test.browser();
    await browser.post('/page').send({ note: 'a basket, say' }).expect(200);
    await browser.post('/sign-in-same-id').send({});
    await browser.get('/members').expect(401);
    await browser.get('/page').expect(200, { user: null });
  });

  it("ends no session that they had before, also with unset: 'destroy'", async () => {
    const session = { secret: SECRET, unset: 'destroy' } as const;
    const test = await appWith({ onMaxSessions: 'refuse', session });
    await signedIn(test, 2);
    const browser = test.browser();
    await browser.post('/page').send({ note: 'a basket, say' }).expect(200);
    await browser.post('/sign-in-same-id-saved').expect(409);
    expect((await statusOf(browser)).state).toBe('active');
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'started', 'started']);
  });

  it('is the app’s to answer: it catches the exception by name', async () => {
    @Catch(TooManySessionsException)
    class ToTheDevices implements ExceptionFilter {
      catch({ maxSessions }: TooManySessionsException, host: ArgumentsHost) {
        host.switchToHttp().getResponse<Response>().redirect(303, `/full?max=${maxSessions}`);
      }
    }
    const configure: TestAppOptions['configure'] = (app) =>
      app.useGlobalFilters(new ToTheDevices());
    const test = await appWith({ onMaxSessions: 'refuse' }, { configure });
    await signedIn(test, 2);
    await test.browser().post('/sign-in').send({}).expect(303).expect('Location', '/full?max=2');
  });

  it('succeeds once the person has ended another session', async () => {
    const test = await appWith({ onMaxSessions: 'refuse', sessionsEndpoint: true });
    const [ada] = await signedIn(test, 2);
    await test.browser().post('/sign-in').send({}).expect(409);
    await ada!.delete('/idle-session/sessions').expect(200, { ended: 1 });
    await test.signedIn();
    await test.browser().post('/sign-in').send({}).expect(409);
  });
});

describe('Of two sign-ins at once', () => {
  it('the one that was overtaken takes nobody’s place, however often it is saved', async () => {
    const test = await appWith({ maxSessions: 1 });
    const { index } = test.storage;
    const add = index.add.bind(index);
    let newest: Browser | undefined;
    jest.spyOn(index, 'add').mockImplementationOnce(async (...given) => {
      const addition = await add(...given);
      newest = await test.signedIn();
      return addition;
    });
    const overtaken = test.browser();
    await overtaken.post('/sign-in').send({});
    await newest!.get('/members').expect(200);
    await overtaken.get('/members').expect(401);
  });

  const atOnce = (test: TestApp, count: number) =>
    Promise.all(Array.from({ length: count }, () => test.browser().post('/sign-in').send({})));

  it.each([1, 2, 3])('no more live than the maximum of %i', async (maxSessions) => {
    const test = await appWith({ maxSessions });
    await atOnce(test, 8);
    expect(await test.sessions.list('ada')).toHaveLength(maxSessions);
  });

  it.each([1, 2, 3])(
    'exactly the maximum of %i is let in, and the others are refused',
    async (max) => {
      const test = await appWith({ maxSessions: max, onMaxSessions: 'refuse' });
      const answers = await atOnce(test, 8);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(max);
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(8 - max);
      expect(await test.sessions.list('ada')).toHaveLength(max);
    },
  );
});
