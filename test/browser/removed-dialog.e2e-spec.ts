import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { until } from '../support/until.js';
import { eachVisit, untilWarned } from './support/each-visit.js';
import { gone, stay, type Visit } from './support/watched-desk.js';

let visit: Visit;
let page: Page;

eachVisit((given) => ({ visit, page } = given));

/** How many dialogs there are in the memory of the page. */
async function kept(): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  const { result } = await devtools.send('Runtime.evaluate', {
    expression: "customElements.get('idle-session-dialog').prototype",
  });
  const { objects } = await devtools.send('Runtime.queryObjects', {
    prototypeObjectId: result.objectId!,
  });
  const { result: counted } = await devtools.send('Runtime.callFunctionOn', {
    objectId: objects.objectId!,
    functionDeclaration: 'function () { return this.length; }',
    returnByValue: true,
  });
  await devtools.detach();
  return counted.value as number;
}

/** The browser itself keeps them for a moment. */
const untilOneIsKept = () => until('one dialog is kept', async () => (await kept()) === 1);

const sheets = () => page.evaluate(() => document.adoptedStyleSheets.length);

/** As a single-page app does whose every page has the dialog. */
const replaceThreeTimes = () =>
  page.evaluate(() => {
    for (let times = 0; times < 3; times += 1) {
      document.querySelector('idle-session-dialog')!.remove();
      document.documentElement.append(document.createElement('idle-session-dialog'));
    }
  });

describe('A dialog that is gone', () => {
  it('leaves nothing behind, neither in the page nor in its memory', async () => {
    await replaceThreeTimes();
    await untilOneIsKept();
    await untilWarned(visit);
    await replaceThreeTimes();
    await stay(page).click();
    await gone(page);
    await untilOneIsKept();
    expect(await sheets()).toBe(0);
  });
});
