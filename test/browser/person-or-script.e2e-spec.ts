import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CDPSession, Page } from 'playwright-core';
import { MINUTE, SECOND } from '../support/durations.js';
import { TabsVisit } from './support/tabs-visit.js';
import { WatchedDesk } from './support/watched-desk.js';

const HEARTBEAT = 'POST /idle-session/heartbeat';

const PAGE = `<!doctype html><html lang="en"><title>Fields</title>
  <style>body { margin: 0 } canvas { display: block; width: 200px; height: 200px }</style>
  <canvas onpointerdown="event.preventDefault()" style="touch-action: none"></canvas>
  <textarea aria-label="Text"></textarea><button>Button</button>
  <label><input type="radio">Choice</label>
  <script type="module" src="/idle-session/client.js"></script>`;

let desk: WatchedDesk;
let visit: TabsVisit;
let page: Page;
let devtools: CDPSession;

beforeAll(async () => {
  desk = await WatchedDesk.start();
  visit = await TabsVisit.start(desk, await desk.newContext(), '/health');
  await visit.context.route(`${desk.url}/fields`, (route) =>
    route.fulfill({ contentType: 'text/html', body: PAGE }),
  );
});

afterAll(() => desk?.close());

beforeEach(async () => {
  await visit.actElsewhere();
  // A new one, in which nobody has done anything.
  page = await visit.newPage('/fields');
  devtools = await visit.context.newCDPSession(page);
  await visit.tell(page, `document.querySelector('textarea').focus()`);
  await visit.pass(2 * MINUTE);
});

afterEach(async () => {
  for (const other of visit.context.pages().slice(1)) await other.close();
  expect(visit.complaints).toEqual([]);
});

/** What the page sends because of what was done in it. */
async function sentAfter(act: () => Promise<unknown>): Promise<string[]> {
  const before = visit.requests.length;
  await act();
  await visit.settled();
  await visit.pass(SECOND);
  return visit.sentSince(before);
}

/** Runs in the page as a script's own doing. */
const run = (expression: string) => devtools.send('Runtime.evaluate', { expression });

const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...ys: number[]) =>
  devtools.send('Input.dispatchTouchEvent', { type, touchPoints: ys.map((y) => ({ x: 50, y })) });

describe('A script that does what people do', () => {
  it.each([
    ['clicks on a field', `document.querySelector('[type=radio]').click()`],
    ['clicks on the label of a field', `document.querySelector('label').click()`],
    ['clicks on a button', `document.querySelector('button').click()`],
    ['enters a text', `document.execCommand('insertText', false, 'text')`],
    [
      'takes it back',
      `document.execCommand('insertText', false, 'a'); document.execCommand('undo')`,
    ],
    ['moves the focus', `document.querySelector('button').focus()`],
  ])('and %s is not taken for a person', async (_, expression) => {
    expect(await sentAfter(() => run(expression))).toEqual([]);
  });

  it('is not taken for a person either where the browser trusts what it causes', async () => {
    await run(`window.trusted = [];
      for (const type of ['input', 'click'])
        addEventListener(type, ({ isTrusted }) => isTrusted && trusted.push(type), true)`);
    await run(`document.querySelector('label').click()`);
    await run(
      `document.querySelector('textarea').focus(); document.execCommand('insertText', false, 'a')`,
    );
    expect(await visit.tell<string[]>(page, 'trusted')).toContain('input');
    expect(await sentAfter(async () => {})).toEqual([]);
  });
});

describe('A person', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['types', () => page.keyboard.press('a')],
    ['pastes from the keyboard', () => page.keyboard.press('Control+v')],
    [
      'enters a text by an input method',
      () =>
        devtools.send('Input.imeSetComposition', {
          text: 'に',
          selectionStart: 1,
          selectionEnd: 1,
        }),
    ],
    [
      'enters a text without a key, as by dictation',
      () => devtools.send('Input.insertText', { text: 'it rained' }),
    ],
    ['turns the wheel', () => page.mouse.wheel(0, 50)],
    [
      'scrolls by touch',
      async () => {
        await touch('touchStart', 150);
        await touch('touchMove', 100);
        await touch('touchEnd');
      },
    ],
  ])('who %s is seen', async (_, act) => {
    expect(await sentAfter(act)).toEqual([HEARTBEAT]);
  });

  it('is not seen in what a held key does', async () => {
    expect(await sentAfter(() => page.keyboard.down('a'))).toEqual([HEARTBEAT]);
    await visit.pass(2 * MINUTE);
    const before = visit.requests.length;
    for (let times = 0; times < 6; times++) {
      // A second press of a key that is down is a repetition.
      await page.keyboard.down('a');
      await visit.pass(20 * SECOND);
    }
    expect(visit.sentSince(before)).toEqual([]);
    expect(await page.getByLabel('Text').inputValue()).toBe('aaaaaaa');
    await page.keyboard.up('a');
    expect(await sentAfter(() => devtools.send('Input.insertText', { text: 'b' }))).toEqual([
      HEARTBEAT,
    ]);
  });

  it('is not seen in the clicks of a held Enter key', async () => {
    await run(`document.querySelector('button').focus();
      window.clicks = 0; document.querySelector('button').onclick = () => (clicks += 1)`);
    await page.keyboard.down('Enter');
    await visit.pass(2 * MINUTE);
    const before = visit.requests.length;
    for (let times = 0; times < 6; times++) {
      await page.keyboard.down('Enter');
      await visit.pass(20 * SECOND);
    }
    expect(visit.sentSince(before)).toEqual([]);
    expect(await visit.tell<number>(page, 'clicks')).toBe(7);
    await page.keyboard.up('Enter');
  });
});
