import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SessionData } from 'express-session';
import { createTestApp, SECRET, type TestApp } from '../support/test-app.js';
import { cookiesOf, sessionIdOf, signInCookie } from '../support/cookies.js';
import { MinimalStore } from '../support/minimal-store.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { NAVIGATION } from '../support/requests.js';

/** A session's data as it is stored, with something wrong in it. */
type Spoil = (row: Record<string, unknown>) => unknown;

const withCookie =
  (cookie: object): Spoil =>
  (row) => ({ ...row, cookie: { ...(row.cookie as object), ...cookie } });

const malformed: [string, Spoil][] = [
  ['has no cookie', ({ cookie, ...row }) => ({ ...row, hadOne: cookie !== undefined })],
  ['has null for a cookie', (row) => ({ ...row, cookie: null })],
  ['has a string for a cookie', (row) => ({ ...row, cookie: 'secret-data' })],
  ['has a number for a cookie', (row) => ({ ...row, cookie: 1 })],
  ['has an array for a cookie', (row) => ({ ...row, cookie: ['secret-data'] })],
  ['has no date in expires', withCookie({ expires: 'secret-data', originalMaxAge: 1000 })],
  ['has a number in expires', withCookie({ expires: 5 })],
  ['has an object in expires', withCookie({ expires: {} })],
  ['has text in originalMaxAge', withCookie({ originalMaxAge: 'secret-data' })],
  ['has true in originalMaxAge', withCookie({ originalMaxAge: true })],
  ['has an endless originalMaxAge', withCookie({ originalMaxAge: 1e300 })],
  ['has text in maxAge', withCookie({ maxAge: 'secret-data' })],
  ['has an unknown sameSite', withCookie({ sameSite: 'secret-data' })],
  ['has a path that is none', withCookie({ path: 'secret\u0000data' })],
  ['has an object for a domain', withCookie({ domain: { secret: 'data;' } })],
  ['has a method of cookies for a field', withCookie({ serialize: 'secret-data' })],
  ['is a string', () => 'secret-data'],
  ['is a number', () => 1],
  ['is false', () => false],
  ['is true', () => true],
  ['is an array', (row) => [row]],
  ['is an empty object', () => ({})],
];

/** Hands out rows as a test made them. */
class SpoiltStore extends MinimalStore {
  spoil: Spoil = (row) => row;
  error: unknown;

  override get(id: string, done: (error: unknown, session?: SessionData | null) => void): void {
    super.get(id, (error, row) => {
      if (this.error && row) done(this.error);
      else done(error, row && (this.spoil({ ...row }) as SessionData));
    });
  }
}

let test: TestApp;
let store: SpoiltStore;
let Cookie: string;
const logger = new RecordingLogger();

beforeEach(async () => {
  store = new SpoiltStore();
  test = await createTestApp({
    options: { session: { secret: SECRET, store, rolling: true } },
    configure: (app) => app.useLogger(logger),
  });
  Cookie = await signInCookie(test);
  logger.lines.length = 0;
});
afterEach(() => test.app.close());

async function expectNoSession(): Promise<void> {
  const to = test.browser();
  await to.get('/page').set({ Cookie }).expect(200, { user: null });
  await to
    .get('/exempt')
    .set({ Cookie, ...NAVIGATION })
    .expect(200);
  await to.get('/members').set({ Cookie }).expect(401);
  await to.post('/page').set({ Cookie }).send({ note: 'x' }).expect(200);
  const { body } = await to.get('/idle-session/status').set({ Cookie }).expect(200);
  expect(body.state).toBe('none');
}

async function expectOneLine(): Promise<void> {
  expect(logger.lines.map(({ level }) => level)).toEqual(['error']);
  const [{ text } = { text: '' }] = logger.lines;
  expect(text).toMatch(/^The session store \(get\) answers what cannot be used: a row /);
  expect(text).not.toMatch(/secret|data/);
  expect(text).not.toContain(sessionIdOf(Cookie));
}

describe.each(malformed)('A row that %s', (_, spoil) => {
  beforeEach(() => {
    store.spoil = spoil;
  });

  it('is no session, and one line is logged', async () => {
    await expectNoSession();
    await expectOneLine();
  });

  it('does not keep anybody from signing in', async () => {
    const response = await test.browser().post('/sign-in').set({ Cookie }).expect(200);
    store.spoil = (row) => row;
    const again = cookiesOf(response);
    await test.browser().get('/page').set('Cookie', again).expect(200, { user: 'ada' });
  });

  it('ends nothing: the session goes on once the row can be read again', async () => {
    test.clock.advance(60_000);
    await test.browser().get('/page').set({ Cookie }).expect(200, { user: null });
    store.spoil = (row) => row;
    await test.browser().get('/page').set({ Cookie }).expect(200, { user: 'ada' });
  });

  it('is no session either if it never was under the idle timeout', async () => {
    store.spoil = ({ __idleSession, ...row }) => spoil({ ...row, was: typeof __idleSession });
    await expectNoSession();
  });
});

it.each([
  ['is not JSON', () => new SyntaxError(`Unexpected token in JSON: ${Cookie}`)],
  ['Redis keeps as something else', () => new Error('WRONGTYPE Operation against a key')],
])('A row that %s is no session and no outage', async (_, error) => {
  store.error = error();
  await expectNoSession();
  await expectOneLine();
});

it('A session store that reads null has no session there', async () => {
  store.spoil = () => null;
  await test.browser().get('/members').set({ Cookie }).expect(401);
  expect(logger.errors).toEqual([]);
});
