import { afterEach, describe, expect, it } from '@jest/globals';
import { createTestApp, MINUTE, type TestApp } from '../support/test-app.js';
import { statusOf } from '../support/requests.js';

let test: TestApp;
afterEach(() => test.app.close());

describe('The warning', () => {
  it.each([
    { afterMs: 13 * MINUTE - 1, state: 'active', expiresInMs: 2 * MINUTE + 1 },
    { afterMs: 13 * MINUTE, state: 'warning', expiresInMs: 2 * MINUTE },
    { afterMs: 15 * MINUTE - 1, state: 'warning', expiresInMs: 1 },
    { afterMs: 15 * MINUTE, state: 'expired', expiresInMs: 0 },
  ])('is the state $state after $afterMs ms', async ({ afterMs, state, expiresInMs }) => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(afterMs);
    expect(await statusOf(ada)).toMatchObject({ state, expiresInMs, warnBeforeMs: 2 * MINUTE });
  });

  it('is over as soon as the person does something', async () => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(14 * MINUTE);
    await ada.get('/page').expect('Server-Timing', 'idle-session;desc=active;dur=900000');
  });

  it('can be switched off', async () => {
    test = await createTestApp({ options: { warnBefore: false } });
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE - 1);
    expect(await statusOf(ada)).toMatchObject({
      state: 'active',
      expiresInMs: 1,
      warnBeforeMs: null,
    });
  });
});
