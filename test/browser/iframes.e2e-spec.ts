import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { MINUTE, PATIENCE_MS, SECOND } from '../support/durations.js';
import { until } from '../support/until.js';
import { isAbout, TabsVisit } from './support/tabs-visit.js';
import { WatchedDesk } from './support/watched-desk.js';

const HEARTBEAT = 'POST /idle-session/heartbeat';

/** How often the page looks whether somebody is active in the iframe that has the focus. */
const LOOK_MS = 4 * SECOND;

let desk: WatchedDesk;
let visit: TabsVisit;
let page: Page;
let frameUrl: string;

const FRAME = '<!doctype html><title>Frame</title><body><textarea></textarea>';
const frames = createServer((_, response) =>
  response.writeHead(200, { 'Content-Type': 'text/html' }).end(FRAME),
);

beforeAll(async () => {
  await new Promise<void>((resolve) => frames.listen(0, '127.0.0.1', resolve));
  frameUrl = `http://127.0.0.1:${(frames.address() as AddressInfo).port}`;
  desk = await WatchedDesk.start();
  visit = await TabsVisit.start(desk, await desk.newContext(), '/health');
  await visit.context.route(`${desk.url}/frame`, (route) => route.fulfill(html(FRAME)));
});

afterAll(async () => {
  await desk?.close();
  frames.closeAllConnections();
  frames.close();
});

afterEach(async () => {
  await page.close();
  expect(visit.complaints).toEqual([]);
});

const html = (body: string) => ({ contentType: 'text/html', body });

async function openWithFrame(url: string): Promise<void> {
  await visit.context.route(`${desk.url}/framing`, (route) =>
    route.fulfill(
      html(`<!doctype html><html lang="en"><title>Framing</title><iframe src="${url}"></iframe>
        <script type="module" src="/idle-session/client.js"></script>`),
    ),
  );
  // A new one, in which nobody has done anything.
  page = await visit.newPage('/framing');
}

async function sentOnceLooked(): Promise<string[]> {
  const before = visit.requests.length;
  await visit.pass(LOOK_MS);
  await visit.pass(SECOND);
  return visit.sentSince(before);
}

describe.each([
  ['the same origin', () => `${desk.url}/frame`],
  ['another origin', () => frameUrl],
  ['another site', () => frameUrl.replace('127.0.0.1', 'localhost')],
])('In an iframe from %s', (_, url) => {
  it.each([
    ['a click', () => page.mouse.click(40, 30)],
    ['a key', () => page.keyboard.press('x')],
  ])('%s counts as activity, and the focus alone does not', async (__, act) => {
    await openWithFrame(url());
    await visit.tell(page, `document.querySelector('iframe').focus()`);
    await visit.pass(2 * MINUTE);
    expect(await sentOnceLooked()).toEqual([]);
    expect(await visit.expiresInMs()).toBeLessThan(13 * MINUTE);

    let sent: string[] = [];
    // To the browser, a person is active for five seconds, by a real clock: the page may look later.
    await until(
      'it counts',
      async () => {
        await act();
        sent = await sentOnceLooked();
        return sent.length > 0;
      },
      PATIENCE_MS,
    );
    expect(sent).toEqual([HEARTBEAT]);
    expect(isAbout(15 * MINUTE - SECOND, await visit.expiresInMs())).toBe(true);
  });
});
