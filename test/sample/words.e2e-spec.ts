import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import supertest from 'supertest';
import { createApp } from '../../apps/sample/src/create-app.js';
import { readSettings } from '../../apps/sample/src/settings.js';

const PAGE = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'same-origin', Accept: 'text/html' };
const REASONS = ['idle', 'absolute', 'signed-out', 'revoked', 'lost'];
const CLAIM = { kind: 'Water damage', date: '2026-01-31', place: 'Kitchen', account: 'A pipe.' };

let app: NestExpressApplication;
let person: ReturnType<typeof supertest.agent>;
let stranger: ReturnType<typeof supertest.agent>;

beforeAll(async () => {
  Logger.overrideLogger(false);
  app = await createApp(readSettings({ SESSION_SECRET: 'a secret for the tests' }));
  await app.init();
  stranger = supertest.agent(app.getHttpServer()).set(PAGE);
  person = supertest.agent(app.getHttpServer()).set(PAGE);
  await post('/login', { username: 'demo', password: 'demo' }).expect(303);
});
afterAll(() => app?.close());

const post = (path: string, form: object) => person.post(path).type('form').send(form);

/** What a person reads or hears of a page: its text, and the attributes that hold words for them. */
function wordsOf(html: string): string {
  const attributes = html.matchAll(/\s(?:data-[a-z-]+|aria-label)="([^"]*)"/g);
  const text = html.replaceAll(/<(style|script)[^]*?<\/\1>|<[^>]*>/g, ' ');
  return [text, ...Array.from(attributes, ([, words]) => words)]
    .join('\n')
    .replaceAll(/&(?:#x27|#39|apos);/g, "'")
    .replaceAll('&quot;', '"');
}

const PAGES: [title: string, answer: () => Promise<supertest.Response>][] = [
  ...REASONS.map((reason): [string, () => Promise<supertest.Response>] => [
    `the login page after "${reason}"`,
    async () => stranger.get(`/login?reason=${reason}&returnTo=%2Fclaims%2Fnew`),
  ]),
  ['a wrong sign-in', async () => stranger.post('/login').send({})],
  ['the overview', async () => person.get('/')],
  ['the overview with a claim', sendClaim],
  ['the claim form', async () => person.get('/claims/new')],
  [
    'a claim with all that can be wrong',
    async () => post('/claims/new', { time: 'x', costs: 'x' }),
  ],
  ['a claim of tomorrow', async () => post('/claims/new', { date: '9999-01-01' })],
  ['the devices', async () => person.get('/devices')],
  ['the e-mail address', async () => person.get('/account/email')],
  ['no e-mail address', async () => post('/account/email', {})],
  ['a wrong e-mail address', async () => post('/account/email', { email: 'x' })],
  ['the confirm page', async () => post('/confirm', {})],
  ['an error page', async () => person.get('/nowhere')],
];

async function sendClaim(): Promise<supertest.Response> {
  const { headers } = await post('/claims/new', CLAIM).expect(303);
  return person.get(headers.location!);
}

describe('The words of the sample', () => {
  it.each(PAGES)('have typographic apostrophes and quotation marks: %s', async (_title, answer) => {
    const words = wordsOf((await answer()).text);
    expect(words).toContain('Claims desk');
    expect(words.match(/.*['"].*/g)).toBeNull();
  });
});
