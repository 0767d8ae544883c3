import { describe, expect, it } from '@jest/globals';
import type { Page, Route } from 'playwright-core';
import { MINUTE } from '../support/durations.js';
import { eachVisit } from './support/each-visit.js';
import {
  button,
  dialog,
  FEW_LOOKS,
  heading,
  type Visit,
  type WatchedDesk,
} from './support/watched-desk.js';

const ENGLISH = 'You’re about to be signed out';
const FRENCH = 'Votre session va bientôt se fermer';
const GERMAN = 'Sie werden gleich abgemeldet';

let desk: WatchedDesk;
let visit: Visit;
let page: Page;

eachVisit((given) => ({ desk, visit, page } = given));

/** @param answerLanguage what becomes of the request for the texts of the language */
async function open(lang: string, answerLanguage = (route: Route) => route.continue()) {
  await visit.context.route(/\/idle-session\/[a-z]{2}\.\w+\.js$/, answerLanguage);
  await visit.context.route('**/own', (route) =>
    route.fulfill({
      contentType: 'text/html; charset=utf-8',
      headers: { 'Content-Security-Policy': "script-src 'self'" },
      body: `<!doctype html><html lang="${lang}"><title>Own</title><h1>Own</h1>
        <script type="module" src="/idle-session/client.js"></script>`,
    }),
  );
  await page.goto(`${desk.url}/own`);
  await visit.settled();
}

async function untilWarned(): Promise<void> {
  await visit.pass(13 * MINUTE, MINUTE);
  await dialog(page).waitFor();
}

const languages = () =>
  visit.requests.flatMap(({ path }) => /\/([a-z]{2})\.\w+\.js$/.exec(path)?.[1] ?? []);

const setLang = (lang: string) =>
  page.evaluate((lang) => void (document.documentElement.lang = lang), lang);

describe('The language of the dialog', () => {
  it('is there before the warning, and needs no network then', async () => {
    await open('fr-CA');
    expect(languages()).toEqual(['fr']);
    await visit.context.setOffline(true);
    await visit.pass(16 * MINUTE, MINUTE);
    await dialog(page).waitFor();
    expect(await heading(page).textContent()).toBe('Le service ne répond pas');
    expect(await dialog(page).getAttribute('lang')).toBe('fr-CA');
  });

  it.each([
    ['en-GB', 'en-GB'],
    ['ja', 'en'],
  ])('is loaded for no page in %s', async (lang, said) => {
    await open(lang);
    await untilWarned();
    expect(languages()).toEqual([]);
    expect(await heading(page).textContent()).toBe(ENGLISH);
    expect(await dialog(page).getAttribute('lang')).toBe(said);
  });

  it('is English, and says so, where the one of the page cannot be had', async () => {
    await open('de', (route) => route.abort());
    await untilWarned();
    expect(await heading(page).textContent()).toBe(ENGLISH);
    expect(await dialog(page).getAttribute('lang')).toBe('en');
  });

  it('becomes that of the page while the dialog is open, if it comes late', async () => {
    visit.looks = FEW_LOOKS;
    let comes!: () => void;
    const late = new Promise<void>((resolve) => (comes = resolve));
    await open('de', (route) => late.then(() => route.continue()));
    await untilWarned();
    expect(await heading(page).textContent()).toBe(ENGLISH);
    comes();
    await heading(page).getByText(GERMAN).waitFor();
    expect(await dialog(page).getAttribute('lang')).toBe('de');
    expect(await page.title()).toBe('Noch 2 Min. – Own');
    expect(await dialog(page).getByRole('status').textContent()).toContain(GERMAN);
  });

  it('follows that of the page, also while the dialog is open', async () => {
    await open('en');
    await setLang('fr');
    await visit.settled();
    expect(languages()).toEqual(['fr']);
    await untilWarned();
    expect(await heading(page).textContent()).toBe(FRENCH);
    await setLang('de');
    await heading(page).getByText(GERMAN).waitFor();
    await setLang('en');
    await heading(page).getByText(ENGLISH).waitFor();
  });

  it('leaves the focus where it is as another part of the page changes its language', async () => {
    await open('en');
    await untilWarned();
    const signOut = button(page, 'Sign out');
    await signOut.focus();
    await page.evaluate(() => void (document.querySelector('h1')!.lang = 'fr'));
    expect(await signOut.evaluate((element) => element.matches(':focus'))).toBe(true);
  });
});
