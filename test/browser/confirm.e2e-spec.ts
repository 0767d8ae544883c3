import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Header } from '@nestjs/common';
import { SkipIdleSession } from 'nestjs-idle-session';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { ConfirmController } from '../support/confirm-controller.js';
import { createTestApp, MINUTE, type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';

@Controller('desk')
class DeskController {
  @Get()
  @SkipIdleSession()
  @Header('Content-Type', 'text/html')
  page() {
    return `<!doctype html><html lang="en"><title>Desk</title><h1>Desk</h1>
      <script type="module" src="/idle-session/client.js"></script>`;
  }
}

let browser: Browser;
let test: TestApp;
let context: BrowserContext;
let url: string;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

beforeEach(async () => {
  test = await createTestApp({ metadata: { controllers: [DeskController, ConfirmController] } });
  await test.app.listen(0, '127.0.0.1');
  url = `http://127.0.0.1:${(test.app.getHttpServer().address() as AddressInfo).port}`;
  context = await browser.newContext();
  await context.request.post(`${url}/sign-in`);
});
afterEach(async () => {
  await context.close();
  await test.app.close();
});

interface State {
  readonly state: string;
  readonly covered: boolean;
  readonly online: boolean;
  readonly expiresAt: number;
}

const stateOf = (page: Page) =>
  page.evaluate<State>(
    "import('/idle-session/client.js').then(({ idleSession }) => idleSession.getState())",
  );
const check = (page: Page) =>
  page.evaluate("import('/idle-session/client.js').then(({ idleSession }) => idleSession.check())");
const ask = (page: Page, path: string, method: string) =>
  page.evaluate(
    ([to, by]) =>
      fetch(to!, { method: by! }).then(async (answer) => [answer.status, await answer.json()]),
    [path, method],
  ) as Promise<[number, Record<string, unknown>]>;

/** Waits until the page has an answer of the server, and knows that so much is left. */
async function untilLeft(page: Page, milliseconds: number): Promise<void> {
  await until('the page knows', async () => {
    const { expiresAt, online } = await stateOf(page);
    return online && Math.abs(expiresAt - Date.now() - milliseconds) < MINUTE / 2;
  });
  expect(await stateOf(page)).toMatchObject({ state: 'active', covered: false });
  expect(await page.locator('idle-session-dialog').getByRole('alertdialog').count()).toBe(0);
}

async function openDesk(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${url}/desk`);
  await untilLeft(page, 15 * MINUTE);
  return page;
}

describe('A page whose route asks for a newer proof', () => {
  it('goes on: the refusal is no end of the session', async () => {
    const page = await openDesk();
    test.clock.advance(6 * MINUTE);
    const [status, body] = await ask(page, '/email', 'POST');
    expect([status, body.reason]).toEqual([401, 'confirm']);
    await untilLeft(page, 9 * MINUTE);
  });
});

describe('A confirm in one tab', () => {
  it('covers no tab: each goes on with the new id, and its limits', async () => {
    const [one, two] = [await openDesk(), await openDesk()];
    test.clock.advance(6 * MINUTE);
    for (const page of [one, two]) await check(page);
    await untilLeft(two, 9 * MINUTE);
    expect(await ask(one, '/confirm', 'POST')).toEqual([200, { isConfirmed: true, user: 'ada' }]);
    for (const page of [two, one]) {
      await check(page);
      await untilLeft(page, 15 * MINUTE);
    }
    expect((await ask(two, '/email', 'POST'))[0]).toBe(200);
  });

  it('covers no tab either that asks at that moment, with the old cookie', async () => {
    const two = await openDesk();
    const one = await openDesk();
    test.clock.advance(6 * MINUTE);
    await check(two);
    await untilLeft(two, 9 * MINUTE);
    const old = await context.cookies();
    await ask(one, '/confirm', 'POST');
    const renewed = await context.cookies();
    await context.addCookies(old);
    await check(two);
    await until('it has asked', async () => !(await stateOf(two)).online);
    expect(await stateOf(two)).toMatchObject({ state: 'active', covered: false });
    await context.addCookies(renewed);
    await untilLeft(two, 15 * MINUTE);
  });
});
