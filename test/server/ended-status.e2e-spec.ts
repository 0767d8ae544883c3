import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { IdleSessionService } from 'nestjs-idle-session';
import { ConfirmController } from '../support/confirm-controller.js';
import { type Browser, CROSS_SITE, statusOf } from '../support/requests.js';
import { createTestApp, MINUTE, type TestApp } from '../support/test-app.js';

let test: TestApp;
beforeEach(async () => {
  test = await createTestApp({
    options: { loginUrl: '/login', ownerOf: ({ session }) => session?.user },
    metadata: { controllers: [ConfirmController] },
  });
});
afterEach(() => test.app.close());

const askOf = (ref: string | null, browser: Browser = test.browser()) =>
  browser.get('/idle-session/status').query({ of: ref });

const expectUntold = async (ref: string | null) =>
  expect((await askOf(ref).expect(200)).body).toMatchObject({ state: 'none', reason: null });

/** A page's own session, by what the page knows it by. */
async function signedIn(): Promise<{ ada: Browser; ref: string }> {
  const ada = await test.signedIn();
  return { ada, ref: (await statusOf(ada)).sessionRef! };
}

describe('Where a session stands whose cookie the browser has not any more', () => {
  it.each<[string, (ada: Browser, ref: string) => unknown]>([
    ['idle', () => test.clock.advance(15 * MINUTE)],
    ['signed-out', (ada) => ada.post('/idle-session/sign-out').expect(204)],
    ['revoked', (_, ref) => test.app.get(IdleSessionService).endByRef(ref, { owner: 'ada' })],
  ])('is told by its reference once it has ended: %s', async (reason, end) => {
    const { ada, ref } = await signedIn();
    await end(ada, ref);
    const { body } = await askOf(ref).expect(200).expect('Cache-Control', 'no-store');
    expect(body).toEqual({
      state: 'expired',
      reason,
      expiresInMs: 0,
      locksInMs: null,
      idleTimeoutMs: 15 * MINUTE,
      warnBeforeMs: null,
      absoluteExpiresInMs: null,
      sessionRef: null,
      loginUrl: '/login',
      unlockUrl: null,
    });
  });

  it('is told to a browser in which another person has signed in since', async () => {
    const { ref } = await signedIn();
    test.clock.advance(15 * MINUTE);
    const bob = await test.signedIn();
    expect((await askOf(ref, bob)).body).toMatchObject({ state: 'expired', reason: 'idle' });
  });

  it('is not told of a live session, and is no activity of it', async () => {
    const { ada, ref } = await signedIn();
    test.clock.advance(5 * MINUTE);
    await expectUntold(ref);
    await askOf(ref, ada).expect(200);
    expect((await statusOf(ada)).expiresInMs).toBe(10 * MINUTE);
  });

  it('is not told of a session that goes on under a new id', async () => {
    const { ada, ref } = await signedIn();
    await ada.post('/confirm').expect(200);
    await expectUntold(ref);
  });

  it.each(['', 'A'.repeat(22), 'A'.repeat(23), '../../../etc/passwd..', 'é'.repeat(22)])(
    'is unknown of %j',
    expectUntold,
  );

  it('is unknown of two references at once', async () => {
    const { ref } = await signedIn();
    test.clock.advance(15 * MINUTE);
    const { body } = await test.browser().get(`/idle-session/status?of=${ref}&of=${ref}`);
    expect(body).toMatchObject({ state: 'none', reason: null });
  });

  it('is told to no other site', async () => {
    const { ref } = await signedIn();
    test.clock.advance(15 * MINUTE);
    for (const headers of CROSS_SITE) await askOf(ref).set(headers).expect(403);
  });
});
