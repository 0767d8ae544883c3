import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, UseGuards, type CanActivate } from '@nestjs/common';
import { cookiesOf, setCookiesOf, signInCookie } from '../support/cookies.js';
import { Gate } from '../support/gate.js';
import { NAVIGATION } from '../support/requests.js';
import { createTestApp, type TestApp } from '../support/test-app.js';

let gate: Gate;

class WaitingGuard implements CanActivate {
  async canActivate(): Promise<boolean> {
    await gate.pass();
    return true;
  }
}

@Controller('slow-page')
@UseGuards(WaitingGuard)
class SlowPage {
  @Get()
  get() {
    return {};
  }
}

let test: TestApp;
beforeEach(async () => {
  gate = new Gate();
  test = await createTestApp({
    options: { loginUrl: '/login' },
    metadata: { controllers: [SlowPage] },
  });
});
afterEach(() => test.app.close());

const navigate = (path: string, cookie: string) =>
  test
    .browser()
    .get(path)
    .set({ ...NAVIGATION, Cookie: cookie });

/** Signs in again, as the browser of the session does; its cookie from then on. */
const signInAgain = async (cookie: string) =>
  cookiesOf(await test.browser().post('/sign-in').set('Cookie', cookie).expect(200));

describe('A page navigation with the id that a sign-in replaced', () => {
  it('does not clear the new cookie when it was under way at the sign-in', async () => {
    const old = await signInCookie(test);
    const slow = navigate('/slow-page', old).then((response) => response);
    await gate.reached;
    const renewed = await signInAgain(old);
    gate.open();
    expect(setCookiesOf(await slow)).toEqual([]);
    await test.browser().get('/members').set('Cookie', renewed).expect(200, { user: 'ada' });
  });

  it.each(['/members', '/page', '/exempt', '/idle-session/status'])(
    'does not clear it when it comes later: %s',
    async (path) => {
      const old = await signInCookie(test);
      await signInAgain(old);
      const response = await navigate(path, old);
      expect(setCookiesOf(response)).toEqual([]);
      expect(JSON.stringify(response.body)).not.toContain('ada');
    },
  );

  it('clears it where the person signed out', async () => {
    const old = await signInCookie(test);
    await test.browser().post('/sign-out').set('Cookie', old).expect(204);
    const response = await navigate('/members', old).expect(303);
    expect(setCookiesOf(response)).toEqual([expect.stringMatching(/=;.*1970/)]);
  });

  it('is anonymous, and its session is over for good', async () => {
    const old = await signInCookie(test);
    await signInAgain(old);
    await test.browser().get('/page').set('Cookie', old).expect(200, { user: null });
    await test.browser().get('/members').set('Cookie', old).expect(401);
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'ended', 'started']);
    expect(test.events[1]).toMatchObject({ reason: 'signed-out' });
  });
});
