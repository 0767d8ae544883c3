import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { HOUR, MINUTE, SECOND } from '../support/durations.js';
import { until } from '../support/until.js';
import { violations } from './support/axe.js';
import { LOCK_MS, PASSWORD } from './support/lock-site.js';
import { LockVisit } from './support/lock-visit.js';
import { button, dialog, gone, heading, isCovered, placeOf } from './support/watched-desk.js';

const site = LockVisit.forEachTest();

const password = (page: Page) => page.getByLabel('Password of ada');
const letter = (page: Page) => page.getByLabel('Letter');

/** Types the password and presses Enter, wherever the focus is. */
async function unlock(page: Page, typed = PASSWORD): Promise<void> {
  await page.keyboard.type(typed);
  await page.keyboard.press('Enter');
  await site.settled();
}

/** What has the focus, also where it is in the dialog. */
function focused(page: Page): Promise<string | undefined> {
  return page.evaluate(() => {
    const { activeElement } = document;
    return (activeElement?.shadowRoot?.activeElement ?? activeElement)?.id;
  });
}

/** Escape as the browser gets it: what Playwright does in the page would count as the person's doing. */
async function pressEscape(page: Page): Promise<void> {
  const devtools = await site.context.newCDPSession(page);
  const escape = { key: 'Escape', code: 'Escape', windowsVirtualKeyCode: 27 };
  for (const type of ['rawKeyDown', 'keyUp'] as const) {
    await devtools.send('Input.dispatchKeyEvent', { type, ...escape });
  }
  await devtools.detach();
}

describe('A page whose session is locked', () => {
  it('is covered, says why, and waits for the password', async () => {
    const page = await site.begin();
    await site.untilLocked();
    expect(await isCovered(page)).toBe(true);
    expect(await heading(page).textContent()).toBe('For your security, we locked this page');
    expect(await dialog(page).textContent()).toContain('Your work is still here.');
    expect(await dialog(page).locator('#counter').isVisible()).toBe(false);
    expect(await focused(page)).toBe('password');
    expect(await button(page, 'Sign out').isVisible()).toBe(true);
    expect(placeOf(page)).toBe('/desk');
  });

  it('goes on where the person was: half a word, what is selected in it, the place in the page', async () => {
    const page = await site.begin();
    await letter(page).fill('Dear Gra');
    await letter(page).evaluate((field: HTMLTextAreaElement) => field.setSelectionRange(5, 8));
    const { scrollY } = await page.evaluate(() => ({ scrollY }));
    expect(scrollY).toBeGreaterThan(1000);
    await site.untilLocked();
    await unlock(page);
    await gone(page);
    expect(await focused(page)).toBe('letter');
    expect(await page.evaluate(() => scrollY)).toBe(scrollY);
    await page.keyboard.type('Ada');
    expect(await letter(page).inputValue()).toBe('Dear Ada');
  });

  it('goes on with an open menu, and what had the focus in it', async () => {
    const page = await site.begin();
    await page.getByText('More').click();
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.locator('#item').focus();
    await site.untilLocked();
    expect(await page.locator('#item').isVisible()).toBe(false);
    await unlock(page);
    await gone(page);
    expect(await page.locator('#item').isVisible()).toBe(true);
    expect(await focused(page)).toBe('item');
    expect(await page.getByText('Of the river', { exact: true }).isVisible()).toBe(true);
  });

  it('goes on with what is selected, and where the person writes', async () => {
    const page = await site.begin();
    const select = (id: string, from: number, to: number) =>
      page.evaluate(
        ([id, from, to]) => {
          const text = document.querySelector(`#${id}`)!.firstChild!;
          getSelection()!.setBaseAndExtent(text, from, text, to);
        },
        [id, from, to] as const,
      );
    await select('story', 5, 16);
    await site.untilLocked();
    await unlock(page);
    await gone(page);
    expect(await page.evaluate(() => String(getSelection()))).toBe('upon a time');

    await page.locator('#diary').focus();
    await select('diary', 14, 19);
    await site.untilLocked();
    await unlock(page);
    await gone(page);
    await page.keyboard.type('sea');
    expect(await page.locator('#diary').textContent()).toBe('A note of the sea');
  });

  it('stays locked after a wrong password, and asks nothing for it', async () => {
    const page = await site.begin();
    await site.untilLocked();
    const before = site.requests.length;
    for (const tried of ['river', 'sea']) await unlock(page, tried);
    expect(await isCovered(page)).toBe(true);
    expect(await page.getByRole('alert').textContent()).toBe('This is not the password.');
    expect(site.sentSince(before)).toEqual(['POST /unlock', 'POST /unlock']);
    await unlock(page);
    await gone(page);
  });

  it('takes a try after the end for no wrong password', async () => {
    const page = await site.begin();
    await site.untilLocked();
    site.session.end('revoked');
    await unlock(page, 'sea');
    await page.waitForURL('**/login?*');
    expect(placeOf(page)).toBe('/login?reason=revoked&returnTo=%2Fdesk');
  });

  it('takes an error of the server for no wrong password', async () => {
    const page = await site.begin();
    await site.untilLocked();
    await page.route('**/unlock', (route) => route.fulfill({ status: 503 }));
    await unlock(page);
    expect(await page.getByRole('alert').textContent()).toBe('Please try again in a moment.');
    expect(await isCovered(page)).toBe(true);
  });

  it('is not opened by Escape, which leaves the password as it is', async () => {
    const page = await site.begin();
    await site.untilLocked();
    await page.keyboard.type('half a pass');
    const before = site.requests.length;
    for (let times = 0; times < 3; times++) {
      await pressEscape(page);
      // The browser closes it at the second time, whatever a page says; it is opened again.
      await dialog(page).waitFor();
      expect(await isCovered(page)).toBe(true);
      await until('the focus is back', async () => (await focused(page)) === 'password');
    }
    expect(await password(page).inputValue()).toBe('half a pass');
    expect(site.requests.length).toBe(before);
  });

  it('is used with the keyboard alone, and nothing behind it can be reached', async () => {
    const page = await site.begin();
    await site.untilLocked();
    const reached: (string | undefined)[] = [];
    for (let times = 0; times < 6; times++) {
      reached.push(
        await page.evaluate(() => {
          const { activeElement } = document;
          const within = activeElement?.shadowRoot?.activeElement ?? activeElement;
          return within?.id || within?.textContent?.trim();
        }),
      );
      await page.keyboard.press('Tab');
    }
    expect(reached.slice(0, 3)).toEqual(['password', 'Unlock', 'sign-out']);
    expect(reached).not.toContain('letter');
    await page.keyboard.press('Shift+Tab');
  });

  it('gives the password to nobody but the route of the page, and leaves none in the form', async () => {
    const page = await site.begin();
    const other = await site.open();
    await site.untilLocked();
    await password(other).fill(PASSWORD);
    await page.bringToFront();
    await unlock(page);
    await gone(page);
    await gone(other);
    const told = site.requests.filter(({ body }) => JSON.stringify(body)?.includes(PASSWORD));
    expect(told.map(({ line }) => line)).toEqual(['POST /unlock']);
    for (const tab of [page, other]) {
      expect(await tab.evaluate(() => document.querySelector('input')!.form!.id)).toBe('unlock');
      const field = tab.locator('input[type=password]');
      expect(await field.inputValue()).toBe('');
    }
  });

  it('leaves no password in a field whose form is elsewhere', async () => {
    site.unlockForm =
      '<label slot="unlock">Password of ada <input type="password" autocomplete="off" form="elsewhere"></label></idle-session-dialog><form id="elsewhere"></form>';
    const page = await site.begin();
    await site.untilLocked();
    await password(page).fill(PASSWORD);
    site.session.unlock();
    await page.evaluate(async (client) => {
      const { idleSession } = await import(client);
      idleSession.check();
    }, '/idle-session/client.js');
    await site.settled();
    await gone(page);
    expect(await page.locator('input').inputValue()).toBe('');
  });

  it('leaves no password in a form with a button that is named like what empties it', async () => {
    site.unlockForm = site.unlockForm.replace(
      '<button>Unlock</button>',
      '<button>Unlock</button> <button type="reset" name="reset">Empty</button>',
    );
    const page = await site.begin();
    await site.untilLocked();
    await unlock(page);
    await gone(page);
    expect(await page.locator('input[type=password]').inputValue()).toBe('');
  });

  it('is locked and unlocked in all tabs, with one question from each', async () => {
    const page = await site.begin();
    const others = [await site.open(), await site.open()];
    const before = site.requests.length;
    await site.untilLocked();
    for (const tab of [page, ...others]) expect(await isCovered(tab)).toBe(true);
    const locked = site.sentSince(before);
    expect(locked.length).toBeLessThanOrEqual(3);
    expect(new Set(locked)).toEqual(new Set(['GET /idle-session/status']));
    await page.bringToFront();
    await unlock(page);
    for (const tab of [page, ...others]) await gone(tab);
    const unlocked = site.sentSince(before + locked.length);
    expect(unlocked[0]).toBe('POST /unlock');
    expect(unlocked.slice(1)).toEqual(Array(3).fill('GET /idle-session/status'));
  });

  it('says when the session ends soon, and ends', async () => {
    const page = await site.begin();
    await site.untilLocked();
    await page.keyboard.type('half');
    await site.pass(HOUR - LOCK_MS - 3 * MINUTE);
    expect(await dialog(page).textContent()).not.toContain('sign you out');
    await site.pass(MINUTE);
    const note = dialog(page).locator('#note');
    expect(await note.textContent()).toBe('For your security, we will sign you out in 2 minutes.');
    expect(await dialog(page).getByRole('status').textContent()).toBe(await note.textContent());
    expect(await focused(page)).toBe('password');
    expect(await password(page).inputValue()).toBe('half');
    await site.pass(MINUTE);
    expect(await note.textContent()).toBe('For your security, we will sign you out in 1 minute.');
    await site.pass(MINUTE);
    await page.waitForURL('**/login?*');
    expect(placeOf(page)).toBe('/login?reason=idle&returnTo=%2Fdesk');
  });

  it('does not say at the end that the service cannot be reached, which answers', async () => {
    const page = await site.begin();
    await site.untilLocked();
    await site.pass(HOUR - LOCK_MS - 2 * SECOND - SECOND / 4);
    await page.evaluate(() => {
      const headings = new Set<string>();
      const { shadowRoot } = document.querySelector('idle-session-dialog')!;
      const note = () => headings.add(shadowRoot!.querySelector('#heading')!.textContent!);
      note();
      new MutationObserver(note).observe(shadowRoot!, { subtree: true, childList: true });
      document.addEventListener('expired', (event) => event.preventDefault());
      Object.assign(window, { headings });
    });
    await site.pass(3 * SECOND, SECOND / 2);
    expect(await page.evaluate('[...headings]')).toEqual([
      'For your security, we locked this page',
      'For your security, we signed you out',
    ]);
  });

  it('asks the server at the end when the person tries again', async () => {
    const page = await site.begin();
    await site.untilLocked();
    await page.route('**/idle-session/status', (route) => route.fulfill({ status: 503 }));
    await site.pass(HOUR - LOCK_MS);
    expect(await heading(page).textContent()).toBe('We cannot reach the service');
    await page.unroute('**/idle-session/status');
    await button(page, 'Try again').click();
    await page.waitForURL('**/login?*');
    expect(placeOf(page)).toBe('/login?reason=idle&returnTo=%2Fdesk');
  });

  it('lets the person sign out', async () => {
    const page = await site.begin();
    await site.untilLocked();
    await button(page, 'Sign out').click();
    await page.waitForURL('**/login?*');
    expect(placeOf(page)).toBe('/login?reason=signed-out');
  });

  it('leads to the page that unlocks where it has no form, and does not cover that one', async () => {
    site.unlockForm = '';
    const page = await site.begin();
    await site.untilLocked();
    expect(await focused(page)).toBe('stay');
    expect(await dialog(page).textContent()).not.toContain('Your work is still here.');
    // Until then a key is taken for one that was typed for the page.
    await site.pass(SECOND);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/unlock?*');
    await site.settled();
    expect(placeOf(page)).toBe('/unlock?reason=locked&returnTo=%2Fdesk');
    expect(await dialog(page).count()).toBe(0);
  });

  it('is covered as soon as the person goes back from the route that unlocks, and a second after a link', async () => {
    const page = await site.begin();
    await site.untilLocked();
    await page.evaluate(() => history.pushState({}, '', '/unlock'));
    await site.pass(2 * SECOND);
    await gone(page);
    await page.evaluate(() => history.back());
    await dialog(page).waitFor();
    expect(placeOf(page)).toBe('/desk');
    expect(await isCovered(page)).toBe(true);
    expect(await focused(page)).toBe('password');

    await page.evaluate(() => history.pushState({}, '', '/unlock'));
    await site.pass(2 * SECOND);
    await gone(page);
    await page.evaluate(() => history.pushState({}, '', '/desk'));
    await site.pass(SECOND);
    expect(await isCovered(page)).toBe(true);
  });

  it('is covered while the server cannot be asked, and then locked', async () => {
    const page = await site.begin();
    await site.pass(LOCK_MS - MINUTE);
    await site.context.setOffline(true);
    await site.pass(MINUTE + 5 * SECOND);
    expect(await isCovered(page)).toBe(true);
    expect(await heading(page).textContent()).toBe('We cannot reach the service');
    await site.context.setOffline(false);
    await site.settled();
    await site.pass(SECOND);
    expect(await heading(page).textContent()).toBe('For your security, we locked this page');
    expect(await focused(page)).toBe('password');
  });

  it('speaks the language of the page', async () => {
    site.lang = 'de';
    const page = await site.begin();
    await site.untilLocked();
    expect(await heading(page).textContent()).toBe(
      'Zu Ihrer Sicherheit haben wir diese Seite gesperrt',
    );
  });

  it('is English, and says so, in a page of a language that it does not speak', async () => {
    site.lang = 'ja';
    const page = await site.begin();
    await site.untilLocked();
    expect(await dialog(page).getAttribute('lang')).toBe('en');
  });

  it.each([
    ['in light colours', {}],
    ['in dark colours', { colorScheme: 'dark' }],
    ['in forced colours', { forcedColors: 'active' }],
    ['on a screen of 320 by 256 pixels', { viewport: { width: 320, height: 256 } }],
  ] as const)('has nothing that axe finds, or that is cut off, %s', async (_, options) => {
    const page = await site.begin(options);
    await site.untilLocked();
    await unlock(page, 'wrong');
    const cut = await dialog(page).evaluate((all) => {
      const { left, right, top, bottom } = all.getBoundingClientRect();
      const fits = left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight;
      return !fits || all.scrollWidth > all.clientWidth;
    });
    expect(cut).toBe(false);
    for (const part of [password(page), button(page, 'Sign out')]) {
      await part.scrollIntoViewIfNeeded();
      const box = (await part.boundingBox())!;
      expect(box.y).toBeGreaterThanOrEqual(0);
      expect(box.y + box.height).toBeLessThanOrEqual(page.viewportSize()!.height);
      expect(box.height).toBeGreaterThanOrEqual(24);
    }
    expect(await violations(page)).toEqual([]);
  });

  it('is a modal alert dialog to assistive technology, with its name and what it says', async () => {
    const page = await site.begin();
    await site.untilLocked();
    const devtools = await site.context.newCDPSession(page);
    const { nodes } = await devtools.send('Accessibility.getFullAXTree');
    const node = nodes.find(({ role }) => role?.value === 'alertdialog');
    expect(node?.name?.value).toBe('For your security, we locked this page');
    expect(node?.description?.value).toContain('Your work is still here.');
    const modal = node?.properties?.find(({ name }) => name === 'modal');
    expect(modal?.value.value).toBe(true);
  });
});
