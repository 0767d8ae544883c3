import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { comesTrue } from '../support/browser.js';
import { MINUTE, SECOND } from '../support/durations.js';
import { until } from '../support/until.js';
import { FEW_LOOKS, isCovered, type Visit, WatchedDesk } from './support/watched-desk.js';

const CLAIM = { kind: 'Water damage', date: '2026-01-31', place: 'Kitchen', account: 'A pipe.' };
const POLL = 'GET /api/notifications';
const STREAM = 'GET /api/notifications/stream';

let desk: WatchedDesk;
let visit: Visit;
let page: Page;

beforeAll(async () => {
  desk = await WatchedDesk.start();
});
afterAll(() => desk?.close());
beforeEach(async () => {
  visit = await desk.visit('/');
  page = visit.page;
});
afterEach(() => visit.close());

/** What the page has asked about notifications since that many requests. */
const askedSince = (count: number) =>
  visit.sentSince(count).filter((request) => request === POLL || request === STREAM);

async function sendClaim(): Promise<void> {
  const { status } = await page.evaluate(async (form) => {
    const response = await fetch('/claims/new', {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    return { status: response.status };
  }, CLAIM);
  expect(status).toBe(200);
}

const notifications = () => page.locator('#notifications li');

/** As if the page were behind another tab, or in front again. */
async function setHidden(hidden: boolean): Promise<void> {
  await page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}

describe('The list of notifications', () => {
  it('shows a new one at once, without polling', async () => {
    const before = visit.requests.length;
    await sendClaim();
    await notifications().filter({ hasText: 'We received claim' }).waitFor();
    await visit.pass(5 * MINUTE);
    expect(askedSince(before)).toEqual([]);
  });

  it('polls while there is no stream', async () => {
    await page.route('**/stream', (route) => route.fulfill({ status: 503 }));
    const before = visit.requests.length;
    await page.reload();
    await until('it polls', () => askedSince(before).includes(POLL));
    await visit.settled();
    expect(askedSince(before)).toEqual([STREAM, POLL]);
    await sendClaim();
    await visit.pass(MINUTE);
    expect(askedSince(before)).toEqual([STREAM, POLL, POLL, POLL]);
    await notifications().filter({ hasText: 'We received claim' }).waitFor();
  });

  it('polls instead of streaming while the page is hidden', async () => {
    const before = visit.requests.length;
    await setHidden(true);
    await visit.pass(30 * SECOND);
    await setHidden(false);
    await visit.pass(30 * SECOND);
    expect(askedSince(before)).toEqual([POLL, STREAM]);
  });

  it('connects again after an interruption', async () => {
    const before = visit.requests.length;
    await desk.stop();
    await desk.startAgain();
    await until('it has connected again', () => askedSince(before).includes(STREAM));
    await visit.settled();
    await sendClaim();
    await notifications().filter({ hasText: 'We received claim' }).waitFor();
  });

  it('closes its stream when the session has ended, and asks for nothing more', async () => {
    await page.addInitScript(keepStreams);
    await page.reload();
    await comesTrue(page, 'streams[0]?.readyState === EventSource.OPEN');
    await page.evaluate(() => addEventListener('expired', (event) => event.preventDefault()));
    await signOut();
    await until('the page is covered', () => isCovered(page));
    await comesTrue(page, 'streams[0].readyState === EventSource.CLOSED');

    const before = visit.requests.length;
    await setHidden(true);
    await setHidden(false);
    await visit.pass(5 * MINUTE);
    expect(askedSince(before)).toEqual([]);
  });
});

describe('A poll', () => {
  it('that is refused has the page covered', async () => {
    await page.evaluate(() => addEventListener('expired', (event) => event.preventDefault()));
    await setHidden(true);
    await page.context().request.post(`${desk.url}/idle-session/sign-out`);
    await visit.pass(30 * SECOND);
    await until('the page is covered', () => isCovered(page));
  });

  it('is given up when the session ends before its answer', async () => {
    await page.evaluate(() => addEventListener('expired', (event) => event.preventDefault()));
    visit.looks = FEW_LOOKS;
    await page.route('**/api/notifications', () => {});
    await setHidden(true);
    await visit.pass(30 * SECOND);
    const givenUp = page.waitForEvent('requestfailed');
    await signOut();
    expect((await givenUp).url()).toBe(`${desk.url}/api/notifications`);
  });
});

/** Waits for no more than that it begins: the page is left before it is done. */
const signOut = () =>
  page.evaluate(
    "import('/idle-session/client.js').then(({ idleSession }) => void idleSession.signOut())",
  );

/** Runs in the page. */
function keepStreams(): void {
  const streams: EventSource[] = [];
  const Original = EventSource;
  Object.assign(window, {
    streams,
    EventSource: class extends Original {
      constructor(url: string) {
        super(url);
        streams.push(this);
      }
    },
  });
}
