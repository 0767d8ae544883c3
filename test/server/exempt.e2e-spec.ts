import { Controller, Get, Param, Post, Req } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { IdleSessionService, SkipIdleSession } from 'nestjs-idle-session';
import { createTestApp, MINUTE, type TestApp } from '../support/test-app.js';
import { expectEnded, statusOf } from '../support/requests.js';
import { sessionIdOf, setCookiesOf, signInCookie } from '../support/cookies.js';

let test: TestApp;
afterEach(() => test.app.close());

@Controller('open')
@SkipIdleSession()
class OpenController {
  @Get()
  read() {
    return {};
  }

  @Post()
  write(@Req() request: Request) {
    request.session.note = 'from a stranger';
    return { user: request.session.user ?? null };
  }
}

@Controller('audit')
class AuditController {
  /** Looks somebody else's session up, as an administrator's page might. */
  @Get(':id')
  read(@Req() request: Request, @Param('id') id: string) {
    return new Promise((resolve) => {
      request.sessionStore.get(id, (_, session) => resolve({ user: session?.user ?? null }));
    });
  }
}

const withOpenController = { metadata: { controllers: [OpenController] } };

describe('An exempt route', () => {
  it.each(['/exempt', '/open'])('is never activity (%s)', async (path) => {
    test = await createTestApp(withOpenController);
    const ada = await test.signedIn();
    test.clock.advance(14 * MINUTE);
    await ada.get(path).expect(200);
    expect((await statusOf(ada)).expiresInMs).toBe(MINUTE);
    test.clock.advance(MINUTE);
    await expectEnded(ada, 'idle');
    await ada.get(path).expect(200);
  });

  it('gets the status of the session', async () => {
    test = await createTestApp();
    expect((await test.browser().get('/exempt')).body.status).toMatchObject({ state: 'none' });
    const ada = await test.signedIn();
    test.clock.advance(14 * MINUTE);
    expect((await ada.get('/exempt')).body).toMatchObject({
      user: 'ada',
      status: { state: 'warning', expiresInMs: MINUTE },
    });
  });

  it('never shows the data of a session that ended, and still says why it did', async () => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    for (let visit = 0; visit < 2; visit++) {
      expect((await ada.get('/exempt').expect(200)).body).toMatchObject({
        user: null,
        status: { state: 'expired', reason: 'idle' },
      });
    }
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'expired']);
  });

  it('starts a new session, never the one that ended, when it writes to the session', async () => {
    test = await createTestApp(withOpenController);
    const old = await signInCookie(test);
    test.clock.advance(15 * MINUTE);
    const visitor = test.browser();
    const response = await visitor.post('/open').set('Cookie', old).expect(201, { user: null });
    expect(setCookiesOf(response)).toEqual([expect.stringMatching(/^app-sid=s%3A/)]);
    expect(setCookiesOf(response)[0]).not.toContain(old);
    await visitor.get('/page').expect(200, { user: null });
    await test.browser().get('/page').set('Cookie', old).expect(401);
  });
});

describe('Code beside the guards', () => {
  const seen: unknown[] = [];
  const configure: Parameters<typeof createTestApp>[0] = {
    configure: (app) => {
      app.use(app.get(IdleSessionService).middleware());
      app.use((request: Request, _: unknown, next: () => void) => {
        seen.push(request.session.user ?? null);
        next();
      });
    },
  };
  afterEach(() => void seen.splice(0));

  it.each(['/exempt', '/nowhere', '/page'])(
    'never sees the data of a session that ended (%s)',
    async (path) => {
      test = await createTestApp(configure);
      const ada = await test.signedIn();
      await ada.get(path);
      test.clock.advance(15 * MINUTE);
      await ada.get(path);
      await ada.get(path);
      expect(seen).toEqual([null, 'ada', null, null]);
    },
  );

  it('never gets a session that ended out of the store, also not for another person', async () => {
    test = await createTestApp({ metadata: { controllers: [AuditController] } });
    const id = sessionIdOf(await signInCookie(test));
    const path = `/audit/${encodeURIComponent(id)}`;
    await test.browser().get(path).expect(200, { user: 'ada' });
    test.clock.advance(15 * MINUTE);
    await test.browser().get(path).expect(200, { user: null });
  });

  it('is no activity where no route is', async () => {
    test = await createTestApp(configure);
    const ada = await test.signedIn();
    test.clock.advance(14 * MINUTE);
    await ada.get('/nowhere').expect(404);
    expect((await statusOf(ada)).expiresInMs).toBe(MINUTE);
  });
});
