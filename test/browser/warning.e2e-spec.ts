import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { MINUTE, SECOND } from '../support/durations.js';
import { until } from '../support/until.js';
import { eachVisit, untilWarned } from './support/each-visit.js';
import {
  button,
  dialog,
  FEW_LOOKS,
  gone,
  heading,
  isCovered,
  placeOf,
  stay,
  type Visit,
  type WatchedDesk,
} from './support/watched-desk.js';

const UNTIL_WARNING = 13 * MINUTE;

let desk: WatchedDesk;
let visit: Visit;
let page: Page;

eachVisit((given) => ({ desk, visit, page } = given));

const place = () => page.getByLabel('Place');

describe('The one line in the page', () => {
  it('warns at the right time, and one key stays signed in', async () => {
    await place().focus();
    await visit.pass(UNTIL_WARNING - SECOND);
    expect(await dialog(page).count()).toBe(0);

    await visit.pass(SECOND);
    await dialog(page).waitFor();
    expect(await heading(page).textContent()).toBe('You’re about to be signed out');
    expect(await dialog(page).locator('#text').innerText()).toMatch(/out in 2:00\s2 minutes\s\./);
    expect(await visit.expiresInMs()).toBe(2 * MINUTE);

    await visit.pass(30 * SECOND);
    await page.keyboard.press('Enter');
    await gone(page);
    expect(await visit.expiresInMs()).toBe(15 * MINUTE);
    expect(await place().evaluate((field) => field === document.activeElement)).toBe(true);

    await visit.pass(UNTIL_WARNING - SECOND);
    expect(await dialog(page).count()).toBe(0);
    await visit.pass(SECOND);
    await dialog(page).waitFor();
  });

  it('sends nothing for an idle page, but one question just before the warning', async () => {
    const before = visit.requests.length;
    await visit.pass(UNTIL_WARNING - SECOND);
    expect(visit.sentSince(before)).toEqual([]);
    await visit.pass(2 * SECOND);
    await dialog(page).waitFor();
    await visit.pass(MINUTE);
    expect(visit.sentSince(before)).toEqual(['GET /idle-session/status']);
  });

  it('does not warn when the session was extended elsewhere', async () => {
    await visit.pass(10 * MINUTE);
    await visit.actElsewhere();
    await visit.pass(5 * MINUTE);
    expect(await dialog(page).count()).toBe(0);
    await visit.pass(8 * MINUTE);
    await dialog(page).waitFor();
  });
});

describe('Somebody who stays', () => {
  it('is led on in the page when the place they were at is gone', async () => {
    await place().focus();
    await untilWarned(visit);
    await place().evaluate((field) => field.remove());
    await stay(page).click();
    await gone(page);
    expect(await page.evaluate(() => document.activeElement?.localName)).toBe('main');
  });

  it('may press Escape', async () => {
    await untilWarned(visit);
    await visit.pass(SECOND);
    await page.keyboard.press('Escape');
    await gone(page);
    expect(await visit.expiresInMs()).toBe(15 * MINUTE);
  });

  it('may press Escape twice, without having done anything else, although nothing was heard', async () => {
    await untilWarned(visit);
    await visit.pass(SECOND);
    await visit.context.setOffline(true);
    // Not through the page: whatever Playwright does there would count as the person's doing.
    const devtools = await visit.context.newCDPSession(page);
    const warnsAgain = async () => {
      const expression = `(({ session, shadowRoot }) =>
        session.getState().failed && shadowRoot.querySelector('dialog').open
      )(document.querySelector('idle-session-dialog'))`;
      return (await devtools.send('Runtime.evaluate', { expression })).result.value === true;
    };
    for (let times = 0; times < 3; times += 1) {
      const failure = page.waitForEvent('requestfailed');
      for (const type of ['rawKeyDown', 'keyUp'] as const) {
        const escape = { key: 'Escape', code: 'Escape', windowsVirtualKeyCode: 27 };
        await devtools.send('Input.dispatchKeyEvent', { type, ...escape });
      }
      await failure;
      await until('it warns again', warnsAgain);
    }
    expect(await dialog(page).isVisible()).toBe(true);
    expect(await stay(page).evaluate((element) => element.matches(':focus'))).toBe(true);
    await visit.context.setOffline(false);
    await page.keyboard.press('Escape');
    await gone(page);
    expect(await visit.expiresInMs()).toBe(15 * MINUTE);
  });

  it.each([
    ['answers with an error', 503],
    ['does not answer', 'abort'],
  ])('is told when the service %s, and can try again', async (_, how) => {
    await untilWarned(visit);
    await page.route('**/idle-session/*', (route) =>
      how === 'abort' ? route.abort() : route.fulfill({ status: 503, body: '{}' }),
    );
    await stay(page).click();
    await dialog(page).getByRole('alert').waitFor();
    expect(await dialog(page).getByRole('alert').textContent()).toBe(
      'We could not reach the service. Please try again.',
    );
    const counter = dialog(page).locator('#counter');
    const before = await counter.textContent();
    await visit.pass(30 * SECOND);
    expect(before).toBe('2:00');
    // To the second: the page's clock has fractions of milliseconds.
    expect(await counter.textContent()).toMatch(/^1:3[01]$/);

    await page.unroute('**/idle-session/*');
    await stay(page).click();
    await gone(page);
    expect(await visit.expiresInMs()).toBe(15 * MINUTE);
  });
});

describe('The warning', () => {
  it('stays until it is answered, whatever the mouse does', async () => {
    await untilWarned(visit);
    const before = visit.requests.length;
    await page.mouse.move(5, 5);
    await page.mouse.move(200, 300, { steps: 5 });
    await page.mouse.click(5, 5);
    await page.mouse.wheel(0, 100);
    await visit.pass(10 * SECOND);
    expect(await dialog(page).isVisible()).toBe(true);
    expect(visit.sentSince(before)).toEqual([]);
    expect(await stay(page).evaluate((element) => element.matches(':focus'))).toBe(true);
  });

  it('lies above a dialog that the app opens later', async () => {
    await untilWarned(visit);
    await page.evaluate(() => {
      const own = document.createElement('dialog');
      own.append('A dialog of the app');
      document.body.append(own);
      own.showModal();
    });
    await visit.pass(2 * SECOND, SECOND);
    await stay(page).click();
    await gone(page);
    expect(await visit.expiresInMs()).toBe(15 * MINUTE);
    expect(await page.getByText('A dialog of the app').isVisible()).toBe(true);
  });

  it('lets a person sign out', async () => {
    await untilWarned(visit);
    await button(page, 'Sign out').click();
    await page.waitForURL('**/login?*');
    expect(placeOf(page)).toBe('/login?reason=signed-out');
    await page.getByRole('heading', { name: 'You have signed out' }).waitFor();
    await page.goto(`${desk.url}/claims/new`);
    expect(new URL(page.url()).pathname).toBe('/login');
  });
});

describe('Somebody who walks away', () => {
  it('leaves nothing to be seen from the deadline on, and is told why on coming back', async () => {
    await untilWarned(visit);
    visit.looks = FEW_LOOKS;
    let answer = () => {};
    const held = new Promise<void>((resolve) => (answer = resolve));
    await page.route('**/idle-session/status', async (route) => {
      await held;
      await route.continue();
    });
    await visit.pass(2 * MINUTE - SECOND);
    expect(await isCovered(page)).toBe(false);
    await visit.pass(SECOND);
    expect(await isCovered(page)).toBe(true);
    expect(placeOf(page)).toBe('/claims/new');

    answer();
    await page.waitForURL('**/login?*');
    expect(placeOf(page)).toBe('/login?reason=idle&returnTo=%2Fclaims%2Fnew');
    await page.getByRole('heading', { name: 'For your security, we signed you out' }).waitFor();
  });

  it('finds the work again when the connection broke, and the session went on', async () => {
    await place().fill('At the old harbour');
    await visit.settled();
    await visit.pass(MINUTE);
    await untilWarned(visit);
    await visit.context.setOffline(true);
    await visit.actElsewhere();
    await visit.pass(2 * MINUTE + 5 * SECOND);
    expect(await isCovered(page)).toBe(true);
    expect(await heading(page).textContent()).toBe('We cannot reach the service');
    expect(placeOf(page)).toBe('/claims/new');

    await visit.context.setOffline(false);
    await gone(page);
    expect(placeOf(page)).toBe('/claims/new');
    expect(await place().inputValue()).toBe('At the old harbour');
    await visit.pass(5 * SECOND);
    expect(await dialog(page).count()).toBe(0);
  });

  it('is sent to sign in once the connection is back, when the session is over', async () => {
    await untilWarned(visit);
    await visit.context.setOffline(true);
    await visit.pass(5 * MINUTE);
    expect(await isCovered(page)).toBe(true);
    expect(placeOf(page)).toBe('/claims/new');
    await visit.context.setOffline(false);
    await page.waitForURL('**/login?*');
    expect(placeOf(page)).toBe('/login?reason=idle&returnTo=%2Fclaims%2Fnew');
  });

  it('is covered at once when the machine slept beyond the deadline', async () => {
    await page.route('**/idle-session/*', (route) => route.abort());
    desk.clock.advance(20 * MINUTE);
    await visit.context.clock.setSystemTime('2026-01-01T10:20:00Z');
    await visit.context.clock.runFor(5 * SECOND);
    await dialog(page).waitFor();
    expect(await isCovered(page)).toBe(true);
    await page.unroute('**/idle-session/*');
    await visit.pass(10 * SECOND);
    await page.waitForURL('**/login?*');
    expect(placeOf(page)).toBe('/login?reason=idle&returnTo=%2Fclaims%2Fnew');
  });

  it('is left on the page, covered, where the page says so', async () => {
    await page.evaluate(() =>
      document.addEventListener('expired', (event) => {
        event.preventDefault();
        document.body.dataset.reason = (event as CustomEvent<{ reason: string }>).detail.reason;
      }),
    );
    await untilWarned(visit);
    await visit.pass(2 * MINUTE + SECOND);
    await page.waitForFunction(() => document.body.dataset.reason === 'idle');
    await visit.pass(MINUTE);
    expect(await isCovered(page)).toBe(true);
    expect(await heading(page).textContent()).toBe('For your security, we signed you out');
    expect(placeOf(page)).toBe('/claims/new');
    await button(page, 'Continue').click();
    await page.waitForURL('**/login?*');
    expect(placeOf(page)).toBe('/login?reason=idle&returnTo=%2Fclaims%2Fnew');
  });
});

describe('A page that allows itself next to nothing', () => {
  it('is protected without a complaint', async () => {
    await visit.context.route(`${desk.url}/own`, (route) =>
      route.fulfill({
        contentType: 'text/html; charset=utf-8',
        headers: {
          'Content-Security-Policy':
            "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'",
        },
        body: `<!doctype html><html lang="en"><title>Own</title><h1>Own</h1>
          <script type="module" src="/idle-session/client.js"></script>`,
      }),
    );
    await page.goto(`${desk.url}/own`);
    await visit.settled();
    await untilWarned(visit);
    expect(await stay(page).evaluate((element) => getComputedStyle(element).minBlockSize)).toBe(
      '44px',
    );
    await stay(page).click();
    await gone(page);
    await untilWarned(visit);
    await visit.pass(2 * MINUTE + SECOND);
    await page.waitForURL('**/login?*');
    expect(placeOf(page)).toBe('/login?reason=idle&returnTo=%2Fown');
  });
});
