import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { MINUTE, SECOND } from '../support/durations.js';
import { eachVisit, untilWarned } from './support/each-visit.js';
import { gone, heading, isCovered, stay, type Visit } from './support/watched-desk.js';

const OWN = 'New claim – Claims desk';

let visit: Visit;
let page: Page;

eachVisit((given) => ({ visit, page } = given));

const title = () => page.title();
const setTitle = (text: string) => page.evaluate((text) => void (document.title = text), text);

async function untilCovered(): Promise<void> {
  await visit.context.setOffline(true);
  await visit.actElsewhere();
  await visit.pass(2 * MINUTE + 5 * SECOND);
  expect(await isCovered(page)).toBe(true);
}

describe('The title of the document', () => {
  it('says in the other tabs what is left, and is as it was after staying', async () => {
    expect(await title()).toBe(OWN);
    await untilWarned(visit);
    expect(await title()).toBe(`2 min left – ${OWN}`);
    await visit.pass(MINUTE + SECOND);
    expect(await title()).toBe(`1 min left – ${OWN}`);
    await visit.pass(20 * SECOND);
    expect(await title()).toBe(`40 sec left – ${OWN}`);
    await stay(page).click();
    await gone(page);
    expect(await title()).toBe(OWN);
  });

  it('says it in the language of the page', async () => {
    await page.evaluate(() => void (document.documentElement.lang = 'de'));
    await untilWarned(visit);
    expect(await title()).toBe(`Noch 2 Min. – ${OWN}`);
  });

  it('takes over what the page makes of it meanwhile, and gives that back', async () => {
    await untilWarned(visit);
    await setTitle('Old claim');
    expect(await title()).toBe('2 min left – Old claim');
    // As pages do that count messages.
    await page.evaluate(() => void (document.title = `(3) ${document.title}`));
    expect(await title()).toBe('2 min left – (3) Old claim');
    await stay(page).click();
    await gone(page);
    expect(await title()).toBe('(3) Old claim');
    await setTitle('Another');
    expect(await title()).toBe('Another');
  });

  it('tells nothing of a page that is covered, also when the page changes it', async () => {
    await untilWarned(visit);
    await untilCovered();
    expect(await title()).toBe('We cannot reach the service');
    await setTitle('Claim of Ada');
    expect(await title()).toBe('We cannot reach the service');
    await visit.context.setOffline(false);
    await gone(page);
    expect(await title()).toBe('Claim of Ada');
  });

  it('tells nothing of a page that is covered, also in a head that the page puts there meanwhile', async () => {
    await untilWarned(visit);
    await untilCovered();
    await page.evaluate(() => {
      const head = document.createElement('head');
      head.append(Object.assign(document.createElement('title'), { text: 'Claim of Ada' }));
      document.head.replaceWith(head);
    });
    expect(await title()).toBe('We cannot reach the service');
    await visit.context.setOffline(false);
    await gone(page);
    expect(await title()).toBe('Claim of Ada');
  });

  it('keeps no page from its warning and its end that has no head', async () => {
    await page.evaluate(() => document.head.remove());
    await untilWarned(visit);
    await visit.pass(2 * MINUTE + SECOND);
    await page.waitForURL('**/login?*');
  });

  it('is neutral from the end on, where the page stays', async () => {
    await page.evaluate(() => addEventListener('expired', (event) => event.preventDefault()));
    await untilWarned(visit);
    await visit.pass(2 * MINUTE + SECOND);
    await heading(page).getByText('For your security, we signed you out').waitFor();
    expect(await title()).toBe('For your security, we signed you out');
    await page.evaluate(() => document.querySelector('idle-session-dialog')!.remove());
    expect(await title()).toBe(OWN);
  });

  it('is left to a page that insists on its own, until a second has passed', async () => {
    await page.evaluate(() => {
      const insist = () => {
        if (document.title !== 'Mine') document.title = 'Mine';
      };
      new MutationObserver(insist).observe(document.head, { childList: true, subtree: true });
      insist();
    });
    await untilWarned(visit);
    await visit.pass(5 * SECOND, SECOND);
    await stay(page).click();
    await gone(page);
    expect(await title()).toBe('Mine');
  });
});
