import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Header } from '@nestjs/common';
import expressSession from 'express-session';
import { SkipIdleSession } from 'nestjs-idle-session';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../../test/support/browser.js';
import { closeApps, listen } from '../support/app.js';
import { ours } from '../support/ours.js';
import { inWords, number, type Report } from '../support/report.js';
import { cookieOf, fill, SECRET } from '../support/sessions.js';
import { difference, median, shuffled } from '../support/statistics.js';

const EVENTS_A_SECOND = 10_000;
const STORM_MS = 1000;
const GOAL_PERCENT = 1;

const KINDS = ['plain', 'listening', 'guarded'] as const;
type Kind = (typeof KINDS)[number];

/** How busy a page's main thread was in one storm, in percent of the time. */
interface Load {
  readonly tasks: number;
  readonly scripts: number;
}

@Controller()
@SkipIdleSession()
class PagesController {
  @Get('plain')
  @Header('Content-Type', 'text/html')
  plain() {
    return '<!doctype html><title>Plain</title><input>';
  }

  /** What it costs that there are listeners at all. */
  @Get('listening')
  @Header('Content-Type', 'text/html')
  listening() {
    return `${this.plain()}<script>
      for (const type of ['pointermove', 'keydown', 'input'])
        window.addEventListener(type, () => {}, { capture: true, passive: true });
    </script>`;
  }

  @Get('guarded')
  @Header('Content-Type', 'text/html')
  guarded() {
    return `${this.plain()}<script type="module" src="/idle-session/client.js"></script>`;
  }
}

/** What client.js costs the main thread while a page is flooded with input. */
export async function run({ cycles = 30 }): Promise<Report> {
  const browser = await launchBrowser();
  try {
    const origin = await serve();
    const storms = {
      plain: await openPage(browser, `${origin}/plain`),
      listening: await openPage(browser, `${origin}/listening`),
      guarded: await openPage(browser, `${origin}/guarded`),
    };
    const loads: Record<Kind, Load[]> = { plain: [], listening: [], guarded: [] };
    for (let cycle = 0; cycle < cycles; cycle++)
      for (const kind of shuffled(KINDS)) loads[kind].push(await storms[kind]());
    return report(loads);
  } finally {
    await browser.close();
    await closeApps();
  }
}

/** An app that a browser can reach, with one person signed in. */
async function serve(): Promise<string> {
  const store = new expressSession.MemoryStore();
  await fill(store, 1);
  const { app } = await listen({
    controllers: [PagesController],
    imports: [ours({ session: { secret: SECRET, store } })],
  });
  const server = createServer(app.getHttpAdapter().getInstance() as RequestListener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Opens a page; what it returns lets a storm loose on it. */
async function openPage(browser: Browser, url: string): Promise<() => Promise<Load>> {
  const context = await browser.newContext();
  const [name = '', value = ''] = cookieOf(0).split('=');
  await context.addCookies([{ name, value, url }]);
  const page = await context.newPage();
  await page.addInitScript(trustEveryInput);
  await page.goto(url, { waitUntil: 'networkidle' });
  if (url.endsWith('/guarded'))
    await page.waitForSelector('idle-session-dialog', { state: 'attached' });

  const devtools = await context.newCDPSession(page);
  await devtools.send('Performance.enable');
  const busy = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    const seconds = (of: string) => metrics.find(({ name }) => name === of)?.value ?? NaN;
    return { tasks: seconds('TaskDuration'), scripts: seconds('ScriptDuration') };
  };
  const storm = async () => {
    await page.bringToFront();
    const [before, began] = [await busy(), performance.now()];
    await page.evaluate(storming, { ms: STORM_MS, aSecond: EVENTS_A_SECOND });
    const [after, elapsed] = [await busy(), (performance.now() - began) / 1000];
    const percent = (of: keyof Load) => ((after[of] - before[of]) / elapsed) * 100;
    return { tasks: percent('tasks'), scripts: percent('scripts') };
  };
  // Until the compiler has seen it all.
  for (let round = 0; round < 3; round++) await storm();
  return storm;
}

/** In the page: no driver is quick enough to send so many events, and those that scripts make are not trusted. */
function trustEveryInput(): void {
  const inputs = ['pointermove', 'keydown', 'input', 'pointerdown', 'wheel', 'touchmove'];
  const add = window.addEventListener.bind(window) as typeof window.addEventListener;
  const remove = window.removeEventListener.bind(window) as typeof window.removeEventListener;
  const trusting = new WeakMap<object, EventListener>();
  const trust = (type: string, listener: unknown): EventListener => {
    const hear = listener as (event: unknown) => void;
    if (!inputs.includes(type)) return hear;
    const known = trusting.get(hear);
    if (known) return known;
    const hearTrusted = (event: Event) => {
      const { screenX = 0, screenY = 0 } = event as Partial<MouseEvent>;
      hear({ isTrusted: true, repeat: false, type: event.type, screenX, screenY });
    };
    trusting.set(hear, hearTrusted);
    return hearTrusted;
  };
  window.addEventListener = (type: string, listener: unknown, options?: unknown) =>
    add(type, trust(type, listener), options as never);
  window.removeEventListener = (type: string, listener: unknown, options?: unknown) =>
    remove(type, trust(type, listener), options as never);
}

/** In the page: moves the mouse, mostly, and types. */
async function storming({ ms, aSecond }: { ms: number; aSecond: number }): Promise<void> {
  const target = document.querySelector('input')!;
  const began = performance.now();
  let sent = 0;
  for (let elapsed = 0; elapsed < ms; elapsed = performance.now() - began) {
    for (const due = (elapsed / 1000) * aSecond; sent < due; sent++) {
      const kind = sent % 4;
      const event =
        kind === 0
          ? new KeyboardEvent('keydown', { key: 'a', bubbles: true })
          : kind === 1
            ? new InputEvent('input', { bubbles: true })
            : new PointerEvent('pointermove', { screenX: sent, bubbles: true });
      target.dispatchEvent(event);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function report(loads: Readonly<Record<Kind, readonly Load[]>>): Report {
  const shares = (kind: Kind, of: keyof Load) => loads[kind].map((load) => load[of]);
  const over = (kind: Kind, of: keyof Load) => difference(shares('guarded', of), shares(kind, of));
  const row = (name: string, of: keyof Load) => [
    name,
    number(median(shares('plain', of))),
    number(median(shares('listening', of))),
    number(median(shares('guarded', of))),
    inWords(over('plain', of)),
    inWords(over('listening', of)),
  ];
  return {
    title: 'client.js',
    goals: [
      {
        what: `client.js, main thread at ${number(EVENTS_A_SECOND)} input events a second`,
        is: 'at most',
        target: GOAL_PERCENT,
        unit: '%',
        measured: over('plain', 'tasks'),
      },
    ],
    tables: [
      {
        columns: [
          'Main thread, % of the time',
          'Plain page',
          'With listeners that do nothing',
          'With client.js',
          'Over plain',
          'Over listeners',
        ],
        rows: [row('all tasks', 'tasks'), row('script', 'scripts')],
      },
    ],
    notes: [
      'Events are made by a script in the page, and taken for trusted ones: making them is most of what both pages do. Over plain: what it costs that there are listeners, the taking for trusted, and client.js. Over listeners: client.js alone.',
    ],
  };
}
