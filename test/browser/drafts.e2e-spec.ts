import { randomBytes, webcrypto } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { IdleSession } from '../../libs/idle-session-client/src/session/idle-session.js';
import { launchBrowser } from '../support/browser.js';
import { MINUTE } from '../support/durations.js';

const HOUR = 60 * MINUTE;
const CSP =
  "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'";
const TEXT = 'The river came through the café door 🌊';

let browser: Browser;
let script: string;
let url: string;
let context: BrowserContext;
let page: Page;

/** What the server knows and does; anew for each test. */
let keys: Map<string, string>;
let sessions: Map<string, string>;
let formBody: string;
let answer: 'done' | 'same page' | 'invalid' | 'broken';
let draftKeyStatus: number | 'network error';
let draftKeyRequests: number;
let complaints: string[];

const server = createServer((request, response) => {
  void serve(request, response).catch((error: Error) => response.writeHead(500).end(error.stack));
});

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const id = /sid=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
  const owner = sessions.get(id ?? '');
  const json = (status: number, body: object) =>
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  const html = (body: string, status = 200) =>
    response.writeHead(status, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': CSP,
      'Cache-Control': 'no-store',
    }).end(`<!doctype html><html lang="en"><title>A page</title>${body}
        <script type="module" src="/client.js"></script>`);
  const goTo = (place: string) => response.writeHead(303, { Location: place }).end();

  switch (`${request.method} ${pathname}`) {
    case 'GET /client.js':
      response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(script);
      return;
    case 'GET /idle-session/draft-key':
      draftKeyRequests += 1;
      if (draftKeyStatus === 'network error') request.socket.destroy();
      else if (draftKeyStatus !== 200) json(draftKeyStatus, { status: draftKeyStatus });
      else if (!owner) json(401, { status: 401 });
      else json(200, { key: keys.get(owner) });
      return;
    case 'GET /idle-session/status':
    case 'POST /idle-session/heartbeat':
      json(200, {
        state: owner ? 'active' : 'none',
        reason: null,
        expiresInMs: owner ? 15 * MINUTE : null,
        idleTimeoutMs: 15 * MINUTE,
        warnBeforeMs: 2 * MINUTE,
        absoluteExpiresInMs: null,
        sessionRef: owner ? `ref-${id}` : null,
        loginUrl: '/login',
      });
      return;
    case 'GET /login':
      html('<h1>Sign in</h1>');
      return;
    case 'POST /form':
    case 'POST /other':
      await text(request);
      if (!owner) goTo('/login');
      else if (answer === 'done') goTo('/done');
      else if (answer === 'same page') goTo(pathname);
      else if (answer === 'invalid') html(formBody, 422);
      else request.socket.destroy();
      return;
    case 'GET /form':
    case 'GET /other':
      if (owner) html(formBody);
      else goTo('/login');
      return;
    case 'GET /done':
      html('<h1>Thank you</h1>');
      return;
    default:
      response.writeHead(404).end();
  }
}

beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { createIdleSession } from './index.ts';
        import { guardForms } from './drafts/guard-forms.ts';
        window.session = createIdleSession();
        window.stop = guardForms(window.session, '/idle-session');
      `,
      resolveDir: fileURLToPath(new URL('../../libs/idle-session-client/src/', import.meta.url)),
      loader: 'ts',
    },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  script = outputFiles[0]!.text;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await launchBrowser(['--host-resolver-rules=MAP app.test 127.0.0.1']);
});

afterAll(async () => {
  await browser?.close();
  server.closeAllConnections();
  server.close();
});

beforeEach(async () => {
  keys = new Map(['ada', 'bob'].map((owner) => [owner, randomBytes(32).toString('base64url')]));
  sessions = new Map();
  formBody = `<form method="post" data-guard-forms>
    <label>Account <textarea name="account"></textarea></label>
    <label>Place <input name="place"></label>
    <button>Send</button>
  </form>`;
  answer = 'done';
  draftKeyStatus = 200;
  draftKeyRequests = 0;
  complaints = [];
  context = await browser.newContext();
  page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // The browser's own remarks, on refused requests and password fields.
    if (!/^(Failed to load resource|\[DOM\])/.test(message.text())) complaints.push(message.text());
  });
});

afterEach(async () => {
  await context.close();
  if (complaints.length > 0) throw new Error(complaints.join('\n'));
});

async function signIn(owner: string, base = url): Promise<void> {
  const id = randomBytes(8).toString('hex');
  sessions.set(id, owner);
  await context.addCookies([{ name: 'sid', value: id, url: base }]);
}

/** As the server does it: whoever comes with the cookie is nobody now. */
function endSessions(): void {
  sessions.clear();
}

/** Opens a page, and waits until all that a draft would need has had its time. */
async function open(path: string, base = url): Promise<void> {
  await page.goto(base + path);
  await settled();
}

async function settled(): Promise<void> {
  await page.waitForFunction(() => {
    const { session } = window as unknown as { session?: IdleSession };
    return session?.getState().state === 'active' || location.pathname === '/login';
  });
  await page.waitForTimeout(250);
}

const account = () => page.getByLabel('Account');
const restore = () => page.getByRole('button', { name: 'Restore' });
const discard = () => page.getByRole('button', { name: 'Discard' });
const send = () => page.getByRole('button', { name: 'Send' });

function stored(): Promise<[string, string][]> {
  return page.evaluate(() => Object.entries(sessionStorage) as [string, string][]);
}

async function typed(value = TEXT): Promise<void> {
  await account().fill(value);
  await page.waitForTimeout(100);
}

/** What a stored draft says to whoever has the key. */
async function contents(
  [name, item]: [string, string],
  owner = 'ada',
): Promise<[string, unknown][]> {
  const [at, , ...sealed] = item.split(',');
  const bytes = Uint8Array.from(sealed, Number);
  const raw = Buffer.from(keys.get(owner)!, 'base64url');
  const key = await webcrypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['decrypt']);
  const opened = await webcrypto.subtle.decrypt(
    { name: 'AES-GCM', iv: bytes.slice(0, 12), additionalData: Buffer.from(name + at) },
    key,
    bytes.slice(12),
  );
  return JSON.parse(Buffer.from(opened).toString());
}

async function adaHasTyped(): Promise<void> {
  await signIn('ada');
  await open('/form');
  await typed();
  expect(await stored()).toHaveLength(1);
}

describe('A draft', () => {
  it('is offered back to the same person after signing in again, and restored', async () => {
    await adaHasTyped();
    endSessions();
    await open('/form');
    expect(new URL(page.url()).pathname).toBe('/login');
    expect(await stored()).toHaveLength(1);
    await signIn('ada');
    await open('/form');
    expect(await account().inputValue()).toBe('');
    await restore().click();
    expect(await account().inputValue()).toBe(TEXT);
    expect(await restore().count()).toBe(0);
    expect(await stored()).toHaveLength(1);
  });

  it('is kept of what was typed just before leaving', async () => {
    await adaHasTyped();
    await account().press('!');
    await page.goto(`${url}/done`);
    await open('/form');
    await restore().click();
    expect(await account().inputValue()).toBe(`${TEXT}!`);
  });

  it('is in the storage only encrypted, each time anew, and the key not at all', async () => {
    await adaHasTyped();
    const [[name, first] = ['', '']] = await stored();
    expect(name).toBe('idle-session:draft:/form#0');
    await account().press('!');
    await page.waitForTimeout(100);
    const [[, second] = ['', '']] = await stored();
    for (const item of [first, second]) {
      expect(item).toMatch(/^\d{13},(,\d{1,3}){40,}$/);
      const bytes = Buffer.from(item.split(',').slice(2).map(Number));
      expect(bytes.includes('river')).toBe(false);
      expect(bytes.includes(Buffer.from(keys.get('ada')!, 'base64url'))).toBe(false);
    }
    const ivOf = (item: string) => item.split(',').slice(2, 14).join();
    expect(ivOf(first)).not.toBe(ivOf(second));
    expect(await contents([name, second])).toContainEqual(['account false', `${TEXT}!`]);
    expect(await page.evaluate(() => localStorage.length)).toBe(0);
    expect(await page.evaluate(() => indexedDB.databases())).toEqual([]);
  });

  it('cannot be read by another person, and is removed for it', async () => {
    await adaHasTyped();
    const [draft] = await stored();
    await expect(contents(draft!, 'bob')).rejects.toThrow('operation');
    endSessions();
    await signIn('bob');
    await open('/form');
    expect(await restore().count()).toBe(0);
    expect(await account().inputValue()).toBe('');
    expect(await stored()).toEqual([]);
  });

  it('is removed for another person on any page, not only where the form is', async () => {
    await adaHasTyped();
    endSessions();
    await signIn('bob');
    await open('/done');
    expect(await stored()).toEqual([]);
  });

  it('is removed when it is refused, and not offered again', async () => {
    await adaHasTyped();
    await open('/form');
    await discard().click();
    expect(await stored()).toEqual([]);
    await open('/form');
    expect(await restore().count()).toBe(0);
  });

  it('is removed when it is a day old, and not before', async () => {
    await adaHasTyped();
    const now = Date.now();
    await page.clock.setFixedTime(now + 23 * HOUR);
    await open('/done');
    expect(await stored()).toHaveLength(1);
    await page.clock.setFixedTime(now + 25 * HOUR);
    await open('/form');
    expect(await stored()).toEqual([]);
    expect(await restore().count()).toBe(0);
  });

  it.each([
    ['a changed byte', (item: string) => item.replace(/\d+$/, (byte) => `${Number(byte) ^ 1}`)],
    ['a later time', (item: string) => item.replace(/^\d+/, (at) => `${Number(at) + 1}`)],
    ['nothing that makes sense', () => 'what is this?'],
    ['nothing', () => ''],
  ])('with %s is removed', async (_, tamper) => {
    await adaHasTyped();
    const [[name, item] = ['', '']] = await stored();
    await page.evaluate(
      ([key, value]) => sessionStorage.setItem(key!, value!),
      [name, tamper(item)],
    );
    await open('/form');
    expect(await restore().count()).toBe(0);
    expect(await stored()).toEqual([]);
  });

  it('cannot be moved to another form', async () => {
    await adaHasTyped();
    await page.evaluate(() => {
      const [[name, item]] = Object.entries(sessionStorage) as [[string, string]];
      sessionStorage.clear();
      sessionStorage.setItem(name.replace('/form', '/other'), item);
    });
    await open('/other');
    expect(await restore().count()).toBe(0);
    expect(await stored()).toEqual([]);
  });

  it('is for one form, path and query only', async () => {
    await adaHasTyped();
    for (const place of ['/other', '/form?claim=2']) {
      await open(place);
      expect(await restore().count()).toBe(0);
    }
    expect(await stored()).toHaveLength(1);
    await open('/form#somewhere');
    expect(await restore().count()).toBe(1);
  });

  it('is not offered where the form shows it already', async () => {
    await adaHasTyped();
    formBody = formBody.replace('></textarea>', `>${TEXT}</textarea>`);
    await open('/form');
    expect(await restore().count()).toBe(0);
    expect(await stored()).toHaveLength(1);
  });

  it('is removed when the form is reset', async () => {
    await adaHasTyped();
    await page.evaluate(() => document.forms[0]!.reset());
    expect(await stored()).toEqual([]);
  });

  it('stays when the session ends while the page is open', async () => {
    await adaHasTyped();
    endSessions();
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.waitForFunction(() => {
      const { session } = window as unknown as { session: IdleSession };
      return session.getState().covered;
    });
    expect(await stored()).toHaveLength(1);
  });
});

describe('A submitted form', () => {
  it.each(['done', 'same page'] as const)(
    'that was taken has no draft any more: %s',
    async (way) => {
      answer = way;
      await adaHasTyped();
      await send().click();
      await page.waitForURL(way === 'done' ? '**/done' : '**/form');
      await settled();
      expect(await stored()).toEqual([]);
      expect(await restore().count()).toBe(0);
    },
  );

  it('that was refused because the session had ended is offered again', async () => {
    await adaHasTyped();
    endSessions();
    await send().click();
    await page.waitForURL('**/login');
    await settled();
    await signIn('ada');
    await open('/form');
    await restore().click();
    expect(await account().inputValue()).toBe(TEXT);
  });

  it('that was refused because the session had ended can be sent once restored', async () => {
    await adaHasTyped();
    endSessions();
    await send().click();
    await page.waitForURL('**/login');
    await signIn('ada');
    await open('/form');
    await restore().click();
    await send().click();
    await page.waitForURL('**/done');
    await settled();
    expect(await stored()).toEqual([]);
  });

  it('that has errors keeps its draft, also when it is left then', async () => {
    answer = 'invalid';
    await adaHasTyped();
    await Promise.all([
      page.waitForResponse((response) => response.status() === 422),
      send().click(),
    ]);
    await settled();
    await open('/done');
    await open('/form');
    await restore().click();
    expect(await account().inputValue()).toBe(TEXT);
  });

  it('that reached nobody is offered again on coming back', async () => {
    answer = 'broken';
    formBody = formBody.replace('<form', '<form action="/other"');
    await adaHasTyped();
    await send().click();
    await page.waitForURL('chrome-error://**');
    await page.goBack();
    await settled();
    await open('/done');
    await open('/form');
    await restore().click();
    expect(await account().inputValue()).toBe(TEXT);
  });

  it('that a script sends has no draft any more on the next page', async () => {
    await adaHasTyped();
    await page.evaluate(() => addEventListener('submit', (event) => event.preventDefault()));
    await send().click();
    await page.waitForTimeout(100);
    await open('/done');
    expect(await stored()).toEqual([]);
  });

  it('that is changed after the submit is not taken for sent', async () => {
    await adaHasTyped();
    await page.evaluate(() => addEventListener('submit', (event) => event.preventDefault()));
    await send().click();
    await account().press('!');
    await page.waitForTimeout(100);
    await open('/done');
    expect(await stored()).toHaveLength(1);
  });
});

describe('Fields', () => {
  it('of all kinds are kept and restored, with the events of a change', async () => {
    formBody = `<form method="post" data-guard-forms id="all">
      <input name="text"><input name="same"><input name="same"><input type="date" name="date">
      <textarea name="area"></textarea>
      <select name="one"><option>a</option><option>b</option></select>
      <select name="many" multiple><option>a</option><option>b</option><option>c</option></select>
      <input type="checkbox" name="box" value="1"><input type="checkbox" name="box" value="2" checked>
      <input type="radio" name="radio" value="x" checked><input type="radio" name="radio" value="y">
    </form><input form="all" name="outside">`;
    await signIn('ada');
    await open('/form');
    await page.locator('[name=text]').fill('words, "quoted"');
    await page.locator('[name=same]').nth(0).fill('first');
    await page.locator('[name=same]').nth(1).fill('second');
    await page.locator('[name=date]').fill('2026-02-03');
    await page.locator('[name=area]').fill('two\nlines');
    await page.locator('[name=one]').selectOption('b');
    await page.locator('[name=many]').selectOption(['a', 'c']);
    await page.locator('[name=box]').nth(0).check();
    await page.locator('[name=box]').nth(1).uncheck();
    await page.locator('[name=radio]').nth(1).check();
    await page.locator('[name=outside]').pressSequentially('out');
    const state = () => page.evaluate(() => [...new FormData(document.forms[0]!)]);
    const before = await state();
    await page.waitForTimeout(100);
    await open('/form');
    expect(await state()).not.toEqual(before);
    await page.evaluate(() => {
      const heard: string[] = [];
      Object.assign(window, { heard });
      for (const type of ['input', 'change']) {
        document.addEventListener(type, ({ target }) => {
          const { name, value } = target as HTMLInputElement;
          heard.push(`${type} ${name} ${value}`);
        });
      }
    });
    await restore().click();
    expect(await state()).toEqual(before);
    const heard = await page.evaluate(() => (window as unknown as { heard: string[] }).heard);
    expect(
      heard.filter((event) => event.startsWith('change')).map((event) => event.slice(7)),
    ).toEqual([
      'text words, "quoted"',
      'same first',
      'same second',
      'date 2026-02-03',
      'area two\nlines',
      'one b',
      'many a',
      'box 1',
      'box 2',
      'radio y',
      'outside out',
    ]);
    expect(heard).toHaveLength(22);
  });

  it('that are secret, hidden or not for keeping never are', async () => {
    formBody = `<form method="post" data-guard-forms>
      <input type="password" name="never-password"><input type="file" name="never-file">
      <input type="hidden" name="never-csrf" value="token"><input name="never-off" autocomplete="OFF">
      <input name="never-card" autocomplete="section-pay billing cc-number">
      <input name="never-code" autocomplete="one-time-code">
      <input name="never-new" autocomplete="new-password">
      <input name="never-disabled" disabled value="d"><input name="never-readonly" readonly value="r">
      <fieldset disabled><input name="never-within" value="w"></fieldset>
      <input type="submit" name="never-submit" value="s"><input type="reset" name="never-reset" value="r">
      <input type="button" name="never-button" value="b"><input type="image" name="never-image" alt="">
      <button name="never-button-2" value="b">B</button><output name="never-output">o</output>
      <input name="kept">
    </form>
    <form method="post" data-guard-forms autocomplete="off"><input name="form-off"></form>
    <form method="post"><input name="unguarded"></form>`;
    await signIn('ada');
    await open('/form');
    for (const name of ['password', 'off', 'card', 'code', 'new']) {
      await page.locator(`[name=never-${name}]`).fill('secret');
    }
    await page.locator('[name=form-off]').fill('secret');
    await page.locator('[name=unguarded]').fill('secret');
    await page.locator('[name=kept]').fill('kept');
    await page.waitForTimeout(100);
    const drafts = await stored();
    expect(drafts).toHaveLength(1);
    expect(await contents(drafts[0]!)).toEqual([['kept false', 'kept']]);
  });

  it('that hold a password are not kept when a button shows it', async () => {
    formBody = `<form method="post" data-guard-forms>
      <input type="password" name="password"><input name="kept"></form>`;
    await signIn('ada');
    await open('/form');
    await page.evaluate(() => {
      document.querySelector<HTMLInputElement>('[name=password]')!.type = 'text';
    });
    await page.locator('[name=password]').fill('secret');
    await page.locator('[name=kept]').fill('kept');
    await page.waitForTimeout(100);
    expect(await contents((await stored())[0]!)).toEqual([['kept false', 'kept']]);
  });

  it('of forms that come later are kept', async () => {
    const late = formBody;
    formBody = '<h1>Nothing yet</h1>';
    await signIn('ada');
    await open('/form');
    expect(draftKeyRequests).toBe(0);
    await page.evaluate(() => {
      const form = document.createElement('form');
      form.id = 'late';
      form.dataset.guardForms = '';
      form.append(Object.assign(document.createElement('input'), { name: 'place' }));
      document.body.append(form);
    });
    await page.locator('[name=place]').fill('here');
    await page.waitForTimeout(200);
    expect(await contents((await stored())[0]!)).toEqual([['place false', 'here']]);
    expect(draftKeyRequests).toBe(1);
    formBody = late.replace('<form', '<form id="late"');
    await open('/form');
    await restore().click();
    expect(await page.getByLabel('Place').inputValue()).toBe('here');
  });
});

describe('There is no draft', () => {
  it('of a form that nobody changed, whatever scripts do to it', async () => {
    await signIn('ada');
    await open('/form');
    await page.evaluate(() => {
      const field = document.querySelector('textarea')!;
      field.value = 'a script was here';
      for (const type of ['input', 'change'])
        field.dispatchEvent(new Event(type, { bubbles: true }));
    });
    await account().focus();
    await page.waitForTimeout(100);
    expect(await stored()).toEqual([]);
    await send().click();
    await page.waitForURL('**/done');
    expect(await stored()).toEqual([]);
  });

  it.each([401, 404, 503, 'network error'] as const)('without a key: %s', async (status) => {
    draftKeyStatus = status;
    await signIn('ada');
    await open('/form');
    await typed();
    expect(await stored()).toEqual([]);
    // Not once per key press.
    expect(draftKeyRequests).toBeLessThanOrEqual(2);
  });

  it('without a session', async () => {
    formBody += '<p>Public</p>';
    await signIn('ada');
    await open('/form');
    endSessions();
    await page.reload().catch(() => {});
    await page.goto(`${url}/login`);
    await page.evaluate(() => {
      const form = document.createElement('form');
      form.dataset.guardForms = '';
      form.append(document.createElement('textarea'));
      document.body.append(form);
    });
    const requests = draftKeyRequests;
    await page.locator('textarea').fill('nobody');
    await page.waitForTimeout(100);
    expect(await stored()).toEqual([]);
    expect(draftKeyRequests).toBe(requests);
  });

  it('on an insecure page, where there is no encryption', async () => {
    const insecure = url.replace('127.0.0.1', 'app.test');
    await signIn('ada', insecure);
    await open('/form', insecure);
    expect(await page.evaluate(() => isSecureContext)).toBe(false);
    await typed();
    expect(await stored()).toEqual([]);
    expect(draftKeyRequests).toBe(0);
  });

  it('once it was stopped', async () => {
    await adaHasTyped();
    await open('/form');
    expect(await restore().count()).toBe(1);
    await page.evaluate(() => (window as unknown as { stop: () => void }).stop());
    expect(await restore().count()).toBe(0);
    const before = await stored();
    await typed('more');
    expect(await stored()).toEqual(before);
  });

  it('lost when something is entered before the server has answered', async () => {
    await adaHasTyped();
    let answerNow!: () => void;
    const later = new Promise<void>((resolve) => (answerNow = resolve));
    await page.route('**/idle-session/status', async (route) => {
      await later;
      await route.continue();
    });
    await page.goto(`${url}/form`);
    await page.getByLabel('Place').fill('here');
    answerNow();
    await restore().click();
    expect(await account().inputValue()).toBe(TEXT);
    await page.waitForTimeout(100);
    expect(await contents((await stored())[0]!)).toContainEqual(['account false', TEXT]);
  });
});

describe('The offer', () => {
  it('is announced, takes no focus, and gives it to the form when it goes', async () => {
    await adaHasTyped();
    await open('/form');
    const offer = page.getByRole('status');
    expect(await offer.textContent()).toMatch(
      /^Unsent entries \(\d+:\d\d.[AP]M\) Restore Discard$/,
    );
    expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true);
    expect(await offer.evaluate((box) => box.nextElementSibling!.localName)).toBe('form');
    await restore().focus();
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement!.localName)).toBe('form');
  });

  it('is in the language of the form', async () => {
    await adaHasTyped();
    const plain = formBody;
    for (const [lang, ...words] of [
      ['en-GB', 'Unsent entries', 'Restore', 'Discard'],
      ['fr', 'Saisie non envoyée', 'Restaurer', 'Supprimer'],
      ['de-AT', 'Nicht gesendete Eingaben', 'Wiederherstellen', 'Verwerfen'],
      ['es', 'Datos sin enviar', 'Restaurar', 'Descartar'],
      ['pt-BR', 'Dados por enviar', 'Restaurar', 'Descartar'],
      ['it', 'Dati non inviati', 'Ripristina', 'Elimina'],
      ['nl', 'Niet-verzonden gegevens', 'Herstellen', 'Verwijderen'],
      ['cy', 'Cofnodion heb eu hanfon', 'Adfer', 'Dileu'],
      ['xx', 'Unsent entries', 'Restore', 'Discard'],
      ['not a language', 'Unsent entries', 'Restore', 'Discard'],
    ]) {
      formBody = `<main lang="${lang}">${plain}</main>`;
      await open('/form');
      const said = await page.getByRole('status').textContent();
      const [, ...found] = /^(.*?) \(.*?\d+:\d\d.*?\) (\S+) (\S+)$/.exec(said ?? '') ?? [said];
      expect([lang, ...found]).toEqual([lang, ...words]);
    }
  });

  it('can be refused without losing what was entered since', async () => {
    await adaHasTyped();
    await open('/form');
    await typed('something else');
    await discard().click();
    await page.waitForTimeout(100);
    expect(await contents((await stored())[0]!)).toContainEqual([
      'account false',
      'something else',
    ]);
  });
});
