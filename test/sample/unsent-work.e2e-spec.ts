import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import supertest from 'supertest';
import { createApp } from '../../apps/sample/src/create-app.js';
import { readSettings } from '../../apps/sample/src/settings.js';

const PAGE = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'same-origin', Accept: 'text/html' };

let app: NestExpressApplication;

beforeAll(async () => {
  Logger.overrideLogger(false);
  app = await createApp(readSettings({ SESSION_SECRET: 'a secret for the tests' }));
  await app.init();
});
afterAll(() => app?.close());

/** What the login page says of unsent work: without scripts, and where drafts are kept. */
async function wordsOn(query: string) {
  const { text } = await supertest(app.getHttpServer()).get(`/login?${query}`).set(PAGE);
  const [, kept, lost] = /<p data-if-kept="([^"]+)">([^<]+)<\/p>/.exec(text) ?? [];
  return { kept, lost };
}

const returnTo = (path: string) => `reason=idle&${new URLSearchParams({ returnTo: path })}`;

describe('The signed-out page', () => {
  it('says what becomes of a claim, also of one that the address says more of', async () => {
    for (const path of ['/claims/new', '/claims/new?kind=fire', '/claims/new#claim']) {
      expect(await wordsOn(returnTo(path))).toEqual({
        kept: expect.stringMatching(/your claim is kept in this tab for a day/),
        lost: expect.stringMatching(/your claim could not be kept\. Please enter it again/),
      });
    }
  });

  it('says that a new e-mail address is kept nowhere', async () => {
    const { kept, lost } = await wordsOn(returnTo('/account/email'));
    expect(kept).toMatch(/could not be kept/);
    expect(lost).toBe(kept);
  });

  it.each(['/', '/devices', '/constructor', '//evil.example'])(
    'says what becomes of a claim begun elsewhere in the tab, coming from %s',
    async (path) => {
      const { kept } = await wordsOn(returnTo(path));
      expect(kept).toBe('If you had begun a claim in this tab, it is kept for a day.');
    },
  );

  it('says how to remove a claim after a sign-out by hand', async () => {
    const { kept } = await wordsOn('reason=signed-out');
    expect(kept).toContain('Closing the tab removes it.');
  });

  it('says nothing of it to a person who only signs in', async () => {
    expect(await wordsOn('')).toEqual({ kept: undefined, lost: undefined });
  });
});
