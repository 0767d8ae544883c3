import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import {
  FreshSession,
  SkipIdleSession,
  type IdleSessionModuleOptions,
  type Duration,
} from 'nestjs-idle-session';
import { ConfirmController } from '../support/confirm-controller.js';
import { setCookiesOf, signInCookie } from '../support/cookies.js';
import { NAVIGATION, statusOf } from '../support/requests.js';
import { createTestApp, MINUTE, SECOND } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

@Controller('account')
@FreshSession('10m')
class AccountController {
  @Get()
  show() {
    return {};
  }

  @Get('keys')
  @FreshSession(90_500)
  keys() {
    return {};
  }
}

const startConfirming = (options: Partial<IdleSessionModuleOptions> = {}) =>
  start({ options, metadata: { controllers: [ConfirmController, AccountController] } });

describe('A route that asks for a fresh proof', () => {
  it('is served as long as the sign-in is no older than that, and refused afterwards', async () => {
    const { signedIn, clock } = await startConfirming();
    const ada = await signedIn();
    clock.advance(5 * MINUTE);
    await ada.get('/email').expect(200, { user: 'ada' });
    clock.advance(1);
    const { body } = await ada
      .get('/email')
      .expect(401)
      .expect('Content-Type', /^application\/problem\+json/)
      .expect('Cache-Control', 'no-store')
      .expect(
        'WWW-Authenticate',
        'Session error="insufficient_user_authentication", error_description="More recent authentication is required", max_age="300"',
      );
    expect(body).toEqual({
      type: 'urn:nestjs-idle-session:confirmation-required',
      title: 'Confirmation required',
      status: 401,
      detail: 'For your security, please confirm that it is you.',
      reason: 'confirm',
      maxAgeMs: 5 * MINUTE,
      confirmUrl: null,
    });
    await ada.get('/page').expect(200, { user: 'ada' });
  });

  it('goes by the duration of the route, and by that of its controller where the route has none', async () => {
    const { signedIn, clock } = await startConfirming();
    const ada = await signedIn();
    clock.advance(90_500);
    await ada.get('/account/keys').expect(200);
    clock.advance(1);
    await ada
      .get('/account/keys')
      .expect(401)
      .expect('WWW-Authenticate', /max_age="90"$/);
    await ada.get('/account').expect(200);
  });

  it('is not served because the person is active', async () => {
    const { signedIn, clock } = await startConfirming();
    const ada = await signedIn();
    for (let minute = 0; minute < 6; minute++) {
      clock.advance(MINUTE);
      await ada.get('/page').expect(200);
    }
    await ada.get('/email').expect(401);
  });

  it('counts no refused request as activity, and emits nothing', async () => {
    const { signedIn, clock, events } = await startConfirming();
    const ada = await signedIn();
    clock.advance(6 * MINUTE);
    await ada.post('/email').expect(401);
    expect(await statusOf(ada)).toMatchObject({ state: 'active', expiresInMs: 9 * MINUTE });
    expect(events).toHaveLength(1);
  });

  it('is refused to an anonymous request in the same way', async () => {
    const { browser } = await startConfirming();
    const { body } = await browser().get('/email').expect(401);
    expect(body.reason).toBe('confirm');
  });

  it('is refused to a session that the options do not apply to', async () => {
    const { signedIn } = await startConfirming({ appliesTo: () => false });
    const { body } = await (await signedIn()).get('/email').expect(401);
    expect(body.reason).toBe('confirm');
  });

  it.each([
    ['idle', 15 * MINUTE],
    ['absolute', 12 * 60 * MINUTE],
  ])('tells a session that ended why it did: %s', async (reason, passed) => {
    const { signedIn, clock } = await startConfirming({ idleTimeout: '12h' });
    const idle = reason === 'idle';
    const test = idle ? await startConfirming() : undefined;
    const ada = await (test?.signedIn ?? signedIn)();
    (test?.clock ?? clock).advance(passed - (idle ? 0 : MINUTE));
    if (!idle) await ada.get('/page').expect(200);
    if (!idle) clock.advance(MINUTE);
    const { body } = await ada.get('/email').expect(401);
    expect(body.reason).toBe(reason);
  });

  it('tells a person who signed out that, whose proof was fresh', async () => {
    const test = await startConfirming();
    const cookie = await signInCookie(test);
    await test.browser().post('/sign-out').set('Cookie', cookie).expect(204);
    const { body } = await test.browser().get('/email').set('Cookie', cookie).expect(401);
    expect(body.reason).toBe('signed-out');
  });

  it('is refused while the storage is away, also where other requests go unchecked', async () => {
    const test = await startConfirming({ onStorageError: 'allow' });
    const ada = await test.signedIn();
    test.app.useLogger(false);
    test.storage.read = () => Promise.reject(new Error('away'));
    await ada.get('/page').expect(200);
    const { body } = await ada.get('/email').expect(401);
    expect(body.reason).toBe('confirm');
  });
});

describe('A page navigation to a route that asks for a fresh proof', () => {
  it('goes to the confirm page, with the way back, and keeps its cookie', async () => {
    const { signedIn, clock } = await startConfirming({ confirmUrl: '/confirm?lang=de' });
    const ada = await signedIn();
    clock.advance(5 * MINUTE + SECOND);
    const response = await ada
      .get('/email?tab=2')
      .set(NAVIGATION)
      .expect(303)
      .expect('Location', '/confirm?lang=de&reason=confirm&returnTo=%2Femail%3Ftab%3D2')
      .expect('Cache-Control', 'no-store')
      .expect('Vary', /Sec-Fetch-Mode/);
    expect(setCookiesOf(response)).toEqual([]);
    expect((await ada.get('/email').expect(401)).body.confirmUrl).toBe('/confirm?lang=de');
  });

  it('leads a form back to the page that sent it', async () => {
    const { signedIn, clock } = await startConfirming({ confirmUrl: '/confirm' });
    const ada = await signedIn();
    clock.advance(6 * MINUTE);
    await ada
      .post('/email')
      .set({ ...NAVIGATION, Host: 'claims.example', Referer: 'http://claims.example/account' })
      .expect(303)
      .expect('Location', '/confirm?reason=confirm&returnTo=%2Faccount');
  });

  it('gets the 401 without a confirm page', async () => {
    const { signedIn, clock } = await startConfirming({ loginUrl: '/login' });
    const ada = await signedIn();
    clock.advance(6 * MINUTE);
    await ada.get('/email').set(NAVIGATION).expect(401);
  });
});

describe('@FreshSession()', () => {
  it.each<[unknown, string]>([
    ['soon', "@FreshSession() got 'soon'; it takes a duration above zero"],
    [0, '@FreshSession() got 0; it takes a duration above zero'],
    [undefined, '@FreshSession() got undefined; it takes a duration above zero'],
  ])('says of %p what it takes', (maxAge, message) => {
    expect(() => FreshSession(maxAge as Duration)).toThrow(message);
  });

  @Controller('one')
  class ExemptRoute {
    @Get()
    @FreshSession('5m')
    @SkipIdleSession()
    both() {}
  }

  @Controller('two')
  @SkipIdleSession()
  class ExemptController {
    @Get()
    @FreshSession('5m')
    both() {}
  }

  it.each([ExemptRoute, ExemptController])(
    'on an exempt route stops the start: %p',
    async (controller) => {
      @Module({ controllers: [controller] })
      class SomeModule {}

      await expect(createTestApp({ metadata: { imports: [SomeModule] } })).rejects.toThrow(
        `${controller.name}.both() has both @FreshSession() and @SkipIdleSession()`,
      );
    },
  );
});
