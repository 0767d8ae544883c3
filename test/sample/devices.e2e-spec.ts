import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { MemoryActivityStorage } from 'nestjs-idle-session';
import { ManualClock } from 'nestjs-idle-session/testing';
import supertest from 'supertest';
import { createApp } from '../../apps/sample/src/create-app.js';
import { readSettings } from '../../apps/sample/src/settings.js';
import { MINUTE } from '../support/durations.js';

const PAGE = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'same-origin', Accept: 'text/html' };
const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; rv:143.0) Gecko/20100101 Firefox/143.0';
const SAFARI = 'Mozilla/5.0 (iPad; like Mac OS X) Version/18.6 Safari/605.1 <b>';

type Person = ReturnType<typeof supertest.agent>;

let app: NestExpressApplication;
let clock: ManualClock;

async function start(env: Record<string, string> = {}): Promise<void> {
  Logger.overrideLogger(false);
  clock = new ManualClock();
  app = await createApp(readSettings({ SESSION_SECRET: 'a secret for the tests', ...env }), {
    storage: new MemoryActivityStorage({ now: clock.now }),
  });
  await app.init();
}

async function signIn(userAgent: string): Promise<Person> {
  const person = supertest.agent(app.getHttpServer()).set({ ...PAGE, 'User-Agent': userAgent });
  const form = { username: 'demo', password: 'demo' };
  await person.post('/login').type('form').send(form).expect(303);
  return person;
}

const devicesOf = async (person: Person) => (await person.get('/devices').expect(200)).text;
const namesIn = (html: string) => Array.from(html.matchAll(/<h2>(.*)<\/h2>/g), ([, name]) => name);
const formsIn = (html: string) =>
  Array.from(html.matchAll(/action="(\/devices\/\S+)"/g), ([, path]) => path!);

describe('"Your devices"', () => {
  let firefox: Person;
  let safari: Person;

  beforeAll(() => start());
  afterAll(() => app?.close());
  beforeEach(async () => {
    firefox = await signIn(FIREFOX);
    await firefox.post('/devices/sign-out-others').expect(303);
    await firefox.get('/devices');
    clock.advance(MINUTE);
    safari = await signIn(SAFARI);
  });

  it('lists where a person is signed in, this device first, and nothing that the browser wrote', async () => {
    const html = await devicesOf(firefox);
    expect(namesIn(html)).toEqual(['Firefox on Windows', 'Safari on iPad']);
    expect(html.match(/This device/g)).toHaveLength(1);
    expect(html.indexOf('This device')).toBeLessThan(html.indexOf('Safari on iPad'));
    expect(html).not.toContain('143.0');
    expect(html).toContain(`<time datetime="${new Date(clock.now()).toISOString()}">`);
    expect(namesIn(await devicesOf(safari))).toEqual(['Safari on iPad', 'Firefox on Windows']);
  });

  it('signs out one of them, says so once, and tells its person why', async () => {
    const [signOut = ''] = formsIn(await devicesOf(firefox));
    await firefox.post(signOut).expect(303).expect('Location', '/devices');
    const html = await devicesOf(firefox);
    expect(html).toContain('It is signed out.');
    expect(html).toContain('You are signed in nowhere else.');
    expect(namesIn(html)).toEqual(['Firefox on Windows']);
    expect(await devicesOf(firefox)).not.toContain('It is signed out.');

    await safari.get('/').expect(303).expect('Location', '/login?reason=revoked&returnTo=%2F');
    const { text } = await safari.get('/login?reason=revoked').expect(200);
    expect(text).toContain('You were signed out on another device');
  });

  it('says of one that is signed out already that it was', async () => {
    const [signOut = ''] = formsIn(await devicesOf(firefox));
    await safari.post('/logout').expect(303);
    await firefox.post(signOut).expect(303);
    expect(await devicesOf(firefox)).toContain('It was signed out already.');
  });

  it('signs out all others', async () => {
    const other = await signIn(SAFARI);
    await firefox.post('/devices/sign-out-others').expect(303).expect('Location', '/devices');
    expect(await devicesOf(firefox)).toContain('All others are signed out.');
    for (const person of [safari, other]) await person.get('/').expect('Location', /^\/login/);
  });

  it('asks for the password before it signs others out with an old proof', async () => {
    const forms = formsIn(await devicesOf(firefox));
    expect(forms).toHaveLength(2);
    clock.advance(5 * MINUTE + 1);
    for (const form of forms) {
      await firefox
        .post(form)
        .set({ Host: 'desk.example', Referer: 'http://desk.example/devices' })
        .expect(303)
        .expect('Location', '/confirm?reason=confirm&returnTo=%2Fdevices');
    }
    expect(namesIn(await devicesOf(firefox))).toHaveLength(2);
  });

  it('lists and ends nothing for a stranger or another site', async () => {
    const forms = formsIn(await devicesOf(firefox));
    for (const form of forms)
      await firefox.post(form).set('Sec-Fetch-Site', 'cross-site').expect(403);
    const stranger = supertest.agent(app.getHttpServer()).set(PAGE);
    await stranger.get('/devices').expect(303).expect('Location', '/login?returnTo=%2Fdevices');
    for (const form of forms) await stranger.post(form).expect(303);
    expect(namesIn(await devicesOf(firefox))).toHaveLength(2);
  });
});

describe('MAX_SESSIONS', () => {
  beforeAll(() => start({ MAX_SESSIONS: '1' }));
  afterAll(() => app?.close());

  it('signs out the device that was first, and it is told why', async () => {
    const first = await signIn(FIREFOX);
    const second = await signIn(SAFARI);
    await first.get('/').expect('Location', '/login?reason=revoked&returnTo=%2F');
    expect(namesIn(await devicesOf(second))).toEqual(['Safari on iPad']);
  });
});
