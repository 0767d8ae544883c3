import { afterEach, describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import type { Duration } from 'nestjs-idle-session';
import { ConfirmController } from '../support/confirm-controller.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { expectEnded, statusOf } from '../support/requests.js';
import { createTestApp, HOUR, MINUTE, type TestApp } from '../support/test-app.js';

let test: TestApp;
afterEach(() => test.app.close());

const perRole = ({ session }: Request) => (session.role === 'admin' ? ('1h' as const) : false);

describe('An absolute timeout that is a function of the request', () => {
  it.each([
    { kind: 'sync', absoluteTimeout: perRole },
    { kind: 'async', absoluteTimeout: async (request: Request) => perRole(request) },
  ])('differs per role ($kind)', async ({ absoluteTimeout }) => {
    test = await createTestApp({ options: { absoluteTimeout, idleTimeout: '1h' } });
    const [admin, user] = [await test.signedIn({ role: 'admin' }), await test.signedIn()];
    expect((await statusOf(admin)).absoluteExpiresInMs).toBe(HOUR);
    expect((await statusOf(user)).absoluteExpiresInMs).toBeNull();
    test.clock.advance(30 * MINUTE);
    for (const browser of [admin, user]) await browser.get('/page').expect(200);
    test.clock.advance(30 * MINUTE);
    await expectEnded(admin, 'absolute');
    await user.get('/page').expect(200);
  });

  it('is decided at sign-in, and kept', async () => {
    let absoluteTimeout: Duration | false = '1h';
    test = await createTestApp({ options: { absoluteTimeout: () => absoluteTimeout } });
    const ada = await test.signedIn();
    absoluteTimeout = '8h';
    await ada.get('/page').expect(200);
    expect((await statusOf(ada)).absoluteExpiresInMs).toBe(HOUR);
    await ada.post('/sign-in').expect(200);
    expect((await statusOf(ada)).absoluteExpiresInMs).toBe(8 * HOUR);
  });

  it('is decided anew when the person confirms', async () => {
    let absoluteTimeout: Duration | false = '1h';
    test = await createTestApp({
      options: { absoluteTimeout: () => absoluteTimeout },
      metadata: { controllers: [ConfirmController] },
    });
    const ada = await test.signedIn();
    absoluteTimeout = '8h';
    await ada.post('/confirm').expect(200);
    expect((await statusOf(ada)).absoluteExpiresInMs).toBe(8 * HOUR);
  });

  it.each<[string, () => unknown]>([
    ['returns nothing', () => undefined],
    ['returns null', () => null],
    ['returns true', () => true],
    ['returns NaN', () => NaN],
    ['returns a word', () => 'soon'],
    ['returns less than the idle timeout', () => '14m'],
    ['resolves to a word', () => Promise.resolve('soon')],
    ['never settles', () => new Promise(() => {})],
    [
      'throws',
      () => {
        throw new Error('on purpose');
      },
    ],
    ['rejects', () => Promise.reject(new Error('on purpose'))],
  ])('that %s signs nobody in, with an error that names the option', async (_, nonsense) => {
    const logger = new RecordingLogger();
    let now = nonsense;
    test = await createTestApp({
      options: { absoluteTimeout: () => now() as Duration, storageTimeout: 300 },
      configure: (app) => app.useLogger(logger),
    });
    const browser = test.browser();
    await browser.post('/sign-in').expect(500);
    expect(logger.errors.join('\n')).toContain('Option "absoluteTimeout"');
    await browser.get('/page').expect(200, { user: null });
    now = () => '12h';
    await test.signedIn();
    expect(test.events.map(({ type }) => type)).toEqual(['started']);
  });
});
