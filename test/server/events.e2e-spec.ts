import { describe, expect, it, jest } from '@jest/globals';
import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import expressSession from 'express-session';
import {
  IdleSessionService,
  MemoryActivityStorage,
  type IdleSessionEvent,
  type ActivityStorage,
} from 'nestjs-idle-session';
import { ManualClock } from 'nestjs-idle-session/testing';
import { MINUTE, SECRET, type TestApp } from '../support/test-app.js';
import { cookiesOf } from '../support/cookies.js';
import { statusOf } from '../support/requests.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

type Agent = Awaited<ReturnType<TestApp['signedIn']>>;

@Controller('revoke')
class RevokingController {
  constructor(private readonly sessions: IdleSessionService) {}

  @Post()
  @HttpCode(204)
  async revoke(@Req() request: Request) {
    await this.sessions.end(request, 'revoked');
  }
}

const startRevoking = () => start({ metadata: { controllers: [RevokingController] } });

describe('The events of a session', () => {
  it.each<[string, (test: TestApp, ada: Agent) => Promise<unknown>, object]>([
    [
      'the idle timeout',
      async ({ clock }, ada) => {
        clock.advance(15 * MINUTE);
        await ada.get('/page').expect(401);
      },
      { type: 'expired', reason: 'idle', cause: 'request' },
    ],
    [
      'the absolute timeout',
      async ({ clock }, ada) => {
        for (let i = 0; i < 71; i++) {
          clock.advance(10 * MINUTE);
          await ada.get('/page').expect(200);
        }
        clock.advance(10 * MINUTE);
        await ada.get('/page').expect(401);
      },
      { type: 'expired', reason: 'absolute', cause: 'request' },
    ],
    [
      'the sign-out endpoint',
      (_, ada) => ada.post('/idle-session/sign-out').expect(204),
      { type: 'ended', reason: 'signed-out', cause: 'request' },
    ],
    [
      'request.session.destroy()',
      (_, ada) => ada.post('/sign-out').expect(204),
      { type: 'ended', reason: 'signed-out', cause: 'store' },
    ],
    [
      'IdleSessionService.end()',
      (_, ada) => ada.post('/revoke').expect(204),
      { type: 'ended', reason: 'revoked', cause: 'request' },
    ],
  ])(
    'name it by the reference that its status tells, when %s ends it',
    async (_, end, expected) => {
      const test = await startRevoking();
      const ada = await test.signedIn();
      const { sessionRef } = await statusOf(ada);
      await end(test, ada);
      expect(test.events).toMatchObject([
        { type: 'started', sessionRef, cause: 'request' },
        { ...expected, sessionRef },
      ]);
      expect(await statusOf(ada)).toMatchObject({ state: 'expired', sessionRef });
      expect(test.events).toHaveLength(2);
    },
  );

  it('come once, in one of two processes that find it expired at the same moment', async () => {
    const clock = new ManualClock();
    const storage = new MemoryActivityStorage({ now: clock.now });
    const session = { secret: SECRET, store: new expressSession.MemoryStore() };
    const one = await start({ options: { storage, session } });
    const two = await start({ options: { storage, session } });
    const cookie = cookiesOf(await one.browser().post('/sign-in').send({}).expect(200));

    clock.advance(15 * MINUTE);
    const later: ActivityStorage = storage;
    const end = later.end.bind(storage);
    let release = () => {};
    const both = new Promise<void>((resolve) => (release = resolve));
    let asked = 0;
    jest.spyOn(later, 'end').mockImplementation(async (key, reason) => {
      if (++asked === 2) release();
      await both;
      return end(key, reason);
    });
    await Promise.all(
      [one, two].map(({ browser }) => browser().get('/page').set('Cookie', cookie).expect(401)),
    );
    const events = [...one.events, ...two.events];
    expect(events.map(({ type }) => type)).toEqual(['started', 'expired']);
  });

  it('never carry the session id, nor a part of it', async () => {
    const test = await startRevoking();
    const ada = test.browser();
    const cookie = cookiesOf(await ada.post('/sign-in').send({}).expect(200));
    const id = decodeURIComponent(cookie).split('=s:')[1]!.split('.')[0]!;
    await ada.post('/revoke').expect(204);
    expect(id).toHaveLength(32);
    for (let from = 0; from + 8 <= id.length; from++)
      expect(JSON.stringify(test.events)).not.toContain(id.slice(from, from + 8));
  });

  it('reach everybody who subscribed, from then on', async () => {
    const test = await start();
    await test.signedIn();
    const late: IdleSessionEvent[] = [];
    const subscription = test.sessions.events.subscribe((event) => late.push(event));
    const ada = await test.signedIn();
    expect(late).toEqual(test.events.slice(1));
    subscription.unsubscribe();
    await ada.post('/sign-out').expect(204);
    expect(late).toHaveLength(1);
    expect(test.events).toHaveLength(3);
  });

  it('start anew with each sign-in, and sign-in ends the session before', async () => {
    const test = await start();
    const ada = await test.signedIn();
    test.clock.advance(MINUTE);
    await ada.post('/sign-in').send({ user: 'ada' }).expect(200);
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'ended', 'started']);
    const [first, ended, second] = test.events;
    expect(ended!.sessionRef).toBe(first!.sessionRef);
    expect(second!.sessionRef).not.toBe(first!.sessionRef);
  });
});
