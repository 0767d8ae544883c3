import { afterEach, describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { createTestApp, MINUTE, type TestApp } from '../support/test-app.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { CROSS_SITE, statusOf, type Browser } from '../support/requests.js';

const apps: TestApp[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map(({ app }) => app.close()));
});

async function appWith(options: Parameters<typeof createTestApp>[0] = {}) {
  const test = await createTestApp({
    ...options,
    options: { ownerOf: (request: Request) => request.session.user, ...options.options },
  });
  apps.push(test);
  return test;
}

async function draftKeyOf(browser: Browser): Promise<string> {
  const { body } = await browser
    .get('/idle-session/draft-key')
    .expect(200)
    .expect('Cache-Control', 'no-store');
  expect(Object.keys(body)).toEqual(['key']);
  return body.key;
}

describe('The draft key', () => {
  it('is 32 bytes, and the same for the same person after signing in again', async () => {
    const test = await appWith();
    const first = await draftKeyOf(await test.signedIn());
    expect(first).toMatch(/^[\w-]{43}$/);
    expect(Buffer.from(first, 'base64url')).toHaveLength(32);
    test.clock.advance(15 * MINUTE);
    expect(await draftKeyOf(await test.signedIn())).toBe(first);
  });

  it('differs by person and by secret', async () => {
    const test = await appWith();
    const other = await appWith({
      options: { session: { secret: 'another secret of more than sixteen' } },
    });
    const keys = [
      await draftKeyOf(await test.signedIn()),
      await draftKeyOf(await test.signedIn({ user: 'bob' })),
      await draftKeyOf(await other.signedIn()),
    ];
    expect(new Set(keys).size).toBe(3);
  });

  it('is derived from the secret that signs', async () => {
    const [one, two] = ['first secret, long enough', 'second secret, long enough'] as const;
    const before = await appWith({ options: { session: { secret: one } } });
    const after = await appWith({ options: { session: { secret: [one] } } });
    const other = await appWith({ options: { session: { secret: two } } });
    const key = await draftKeyOf(await before.signedIn());
    expect(await draftKeyOf(await after.signedIn())).toBe(key);
    expect(await draftKeyOf(await other.signedIn())).not.toBe(key);
  });

  it('comes with those of the older secrets, so that a new secret loses no draft', async () => {
    const [one, two] = ['first secret, long enough', 'second secret, long enough'] as const;
    const before = await appWith({ options: { session: { secret: one } } });
    const later = await appWith({ options: { session: { secret: two } } });
    const after = await appWith({ options: { session: { secret: [two, one] } } });
    const { body } = await (await after.signedIn()).get('/idle-session/draft-key').expect(200);
    expect(body).toEqual({
      key: await draftKeyOf(await later.signedIn()),
      olderKeys: [await draftKeyOf(await before.signedIn())],
    });
  });

  it.each(CROSS_SITE)('is not for another origin: %o', async (headers) => {
    const test = await appWith();
    const ada = await test.signedIn();
    const { body } = await ada.get('/idle-session/draft-key').set(headers).expect(403);
    expect(body).not.toHaveProperty('key');
  });

  it.each([[Promise.resolve('ada')], [Promise.reject(new Error('no'))], [7], [{}]])(
    'is nobody’s when ownerOf returns %p: signing in fails, and the error names the option',
    async (owner) => {
      const logger = new RecordingLogger();
      const test = await appWith({ logger, options: { ownerOf: () => owner as never } });
      await test.browser().post('/sign-in').send({}).expect(500);
      expect(logger.errors.join()).toContain('Option "ownerOf"');
    },
  );

  it('is not for anonymous requests', async () => {
    const test = await appWith();
    const { body } = await test.browser().get('/idle-session/draft-key').expect(401);
    expect(body).not.toHaveProperty('key');
    expect(body).not.toHaveProperty('reason');
  });

  it.each([
    ['idle', (test: TestApp) => test.clock.advance(15 * MINUTE)],
    [
      'signed-out',
      (_: TestApp, browser: Browser) => browser.post('/idle-session/sign-out').expect(204),
    ],
  ])('is not for a person whose session ended: %s', async (reason, end) => {
    const test = await appWith();
    const ada = await test.signedIn();
    await end(test, ada);
    const { body } = await ada.get('/idle-session/draft-key').expect(401);
    expect(body.reason).toBe(reason);
  });

  it.each([
    ['nobody is known', { ownerOf: () => undefined }],
    ['the owner is null', { ownerOf: () => null }],
    ['the owner is an empty text', { ownerOf: () => '' }],
    ['owners are not configured', { ownerOf: undefined }],
  ])('is not there when %s', async (_, options) => {
    const test = await appWith({ options });
    await (await test.signedIn()).get('/idle-session/draft-key').expect(404);
  });

  it('is no activity', async () => {
    const test = await appWith();
    const ada = await test.signedIn();
    test.clock.advance(14 * MINUTE);
    await draftKeyOf(ada);
    expect((await statusOf(ada)).expiresInMs).toBe(MINUTE);
  });
});
