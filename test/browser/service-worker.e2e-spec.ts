import { createServer, request as forward, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { MINUTE, SECOND } from '../support/durations.js';
import { TabsVisit } from './support/tabs-visit.js';
import { dialog, gone, WatchedDesk } from './support/watched-desk.js';

/** Hands on what the server says, but for one path, of which it keeps the first response. */
const WORKER = `
  addEventListener('install', () => skipWaiting());
  addEventListener('activate', (event) => event.waitUntil(clients.claim()));
  addEventListener('fetch', (event) => {
    if (!event.request.url.endsWith('?keep')) return event.respondWith(fetch(event.request));
    event.respondWith((async () => {
      const cache = await caches.open('kept');
      if (!(await cache.match(event.request))) await cache.add(event.request);
      return cache.match(event.request);
    })());
  });`;

let desk: WatchedDesk;
let visit: TabsVisit;
let page: Page;
let site: string;

/** In front of the desk: adds the worker's script, which Playwright cannot. */
const proxy = createServer((request, response) => {
  if (request.url === '/worker.js') {
    response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(WORKER);
    return;
  }
  const { method, url, headers } = request;
  const upstream = forward(desk.url + url, { method, headers }, (answer: IncomingMessage) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  upstream.on('error', () => response.destroy());
  request.pipe(upstream);
});

beforeAll(async () => {
  desk = await WatchedDesk.start();
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  site = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  visit = await TabsVisit.start(desk, await desk.newContext(), '/health');
  page = visit.page;
  await page.goto(`${site}/claims/new`);
  await visit.tell(
    page,
    `navigator.serviceWorker.register('/worker.js')
      .then(() => navigator.serviceWorker.ready)
      .then(() => navigator.serviceWorker.controller ??
        new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve)))
      .then(() => true)`,
  );
  await visit.settled();
});

afterAll(async () => {
  await desk?.close();
  proxy.closeAllConnections();
  proxy.close();
});

const fetchText = (path: string) => visit.tell(page, `fetch('${path}').then((r) => r.text())`);

it('Behind a service worker, the warning goes away where a request of the page was activity, and for no response that the worker kept', async () => {
  await fetchText('/claims/new?keep');
  await visit.pass(13 * MINUTE);
  await dialog(page).waitFor();
  await fetchText('/claims/new?keep');
  await visit.pass(SECOND);
  expect(await dialog(page).isVisible()).toBe(true);

  await fetchText('/claims/new');
  await visit.pass(2 * SECOND);
  await gone(page);
  expect(await visit.expiresInMs()).toBeGreaterThan(14 * MINUTE);
});
