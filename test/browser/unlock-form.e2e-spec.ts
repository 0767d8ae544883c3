import { beforeEach, describe, expect, it } from '@jest/globals';
import type { IdleSession } from 'idle-session-client';
import type { Page } from 'playwright-core';
import { SECOND } from '../support/durations.js';
import { LOCK_MS, PASSWORD } from './support/lock-site.js';
import { LockVisit } from './support/lock-visit.js';
import { button, dialog, gone } from './support/watched-desk.js';

const site = LockVisit.forEachTest();

/** Puts the form into the dialog while the session is locked, as a framework does: once it hears of the new state. */
async function renderForm(page: Page): Promise<void> {
  await page.evaluate(async (client) => {
    const { idleSession } = (await import(client)) as { idleSession: IdleSession };
    const host = document.querySelector('idle-session-dialog')!;
    const [form] = host.querySelector('template')!.content.children as Iterable<HTMLFormElement>;
    form!.addEventListener('submit', (event) => {
      event.preventDefault();
      const body = JSON.stringify({
        password: form!.querySelector<HTMLInputElement>('#password')!.value,
      });
      void fetch('/unlock', { method: 'POST', body }).then(idleSession.check);
    });
    const render = () => {
      if (idleSession.getState().state === 'locked') host.append(form!);
      else form!.remove();
    };
    idleSession.subscribe(() => queueMicrotask(render));
  }, '/idle-session/client.js');
}

/** Lets time pass until the page says that it is locked, and no longer. */
async function untilJustLocked(page: Page): Promise<void> {
  await site.pass(LOCK_MS - 5 * SECOND);
  while (!(await dialog(page).isVisible())) await site.pass(SECOND / 2);
}

const focused = (page: Page) =>
  page.evaluate(() => {
    const { activeElement } = document;
    return (activeElement?.shadowRoot?.activeElement ?? activeElement)?.id;
  });

describe('A page that has its form to unlock only while it is locked', () => {
  beforeEach(() => {
    site.unlockForm = `<template>${site.unlockForm.replace('id="unlock"', '')}</template>`;
  });

  it('has the focus on the password, says that the work is still here, and leads nowhere else', async () => {
    const page = await site.begin();
    await renderForm(page);
    await site.untilLocked();
    expect(await focused(page)).toBe('password');
    expect(await button(page, 'Sign out').isVisible()).toBe(true);
    expect(await dialog(page).locator('#stay').isVisible()).toBe(false);
    expect(await dialog(page).textContent()).toContain('Your work is still here.');
  });

  it('takes the password from who types it at once, and signs nobody out', async () => {
    site.session.unlockUrl = null;
    const page = await site.begin();
    await renderForm(page);
    await untilJustLocked(page);
    const before = site.requests.length;
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await site.settled();
    expect(site.sentSince(before)).toContain('POST /unlock');
    expect(site.sentSince(before)).not.toContain('POST /idle-session/sign-out');
    await gone(page);
  });
});

describe('A page that is locked and has a form with a button alone', () => {
  it('takes no key that was typed for the page for a press of it', async () => {
    site.unlockForm =
      '<form slot="unlock" method="post" action="/unlock"><button>Unlock with a passkey</button></form>';
    const page = await site.begin();
    await untilJustLocked(page);
    const before = site.requests.length;
    await page.keyboard.press('Enter');
    await site.settled();
    expect(site.sentSince(before)).toEqual([]);
    await site.pass(SECOND);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/unlock');
  });
});

describe('A page that is locked and has no form', () => {
  it('takes no key that was typed for the page for an answer', async () => {
    site.unlockForm = '';
    site.session.unlockUrl = null;
    const page = await site.begin();
    await untilJustLocked(page);
    const before = site.requests.length;
    await page.keyboard.type('a b');
    await page.keyboard.press('Enter');
    await site.settled();
    expect(site.sentSince(before)).toEqual([]);
    await site.pass(SECOND);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/login?*');
  });
});
