import { describe, expect, it } from '@jest/globals';
import { HOUR } from '../support/durations.js';
import { DraftPage, TEXT } from './support/draft-page.js';

const site = DraftPage.forEachTest();

describe('A draft', () => {
  it('is offered back to the same person after signing in again, and restored', async () => {
    await site.adaHasTyped();
    site.endSessions();
    await site.open('/form');
    expect(new URL(site.page.url()).pathname).toBe('/login');
    expect(await site.stored()).toHaveLength(1);
    await site.signIn('ada');
    await site.open('/form');
    expect(await site.account().inputValue()).toBe('');
    await site.restore().click();
    expect(await site.account().inputValue()).toBe(TEXT);
    expect(await site.restore().count()).toBe(0);
    expect(await site.stored()).toHaveLength(1);
  });

  it('is kept of what was typed just before leaving', async () => {
    await site.adaHasTyped();
    await site.account().press('!');
    await site.page.goto(`${site.url}/done`);
    await site.open('/form');
    await site.restore().click();
    expect(await site.account().inputValue()).toBe(`${TEXT}!`);
  });

  it('is in the storage only encrypted, each time anew, and the key not at all', async () => {
    await site.adaHasTyped();
    const [[name, first] = ['', '']] = await site.stored();
    expect(name).toBe('idle-session:draft:/form#0');
    await site.account().press('!');
    await site.settled();
    const [[, second] = ['', '']] = await site.stored();
    for (const item of [first, second]) {
      expect(item).toMatch(/^\d{13},(,\d{1,3}){40,}$/);
      const bytes = Buffer.from(item.split(',').slice(2).map(Number));
      expect(bytes.includes('river')).toBe(false);
      expect(bytes.includes(Buffer.from(site.keys.get('ada')!, 'base64url'))).toBe(false);
    }
    const ivOf = (item: string) => item.split(',').slice(2, 14).join();
    expect(ivOf(first)).not.toBe(ivOf(second));
    expect(await site.contents([name, second])).toContainEqual(['account false', `${TEXT}!`]);
    expect(await site.page.evaluate(() => localStorage.length)).toBe(0);
    expect(await site.page.evaluate(() => indexedDB.databases())).toEqual([]);
  });

  it('cannot be read by another person, and is removed for it', async () => {
    await site.adaHasTyped();
    const [draft] = await site.stored();
    await expect(site.contents(draft!, 'bob')).rejects.toThrow('operation');
    site.endSessions();
    await site.signIn('bob');
    await site.open('/form');
    expect(await site.restore().count()).toBe(0);
    expect(await site.account().inputValue()).toBe('');
    expect(await site.stored()).toEqual([]);
  });

  it('is removed for another person on any page, not only where the form is', async () => {
    await site.adaHasTyped();
    site.endSessions();
    await site.signIn('bob');
    await site.open('/done');
    expect(await site.stored()).toEqual([]);
  });

  it('is offered after the secret was rotated, more than once, and then kept under the new one', async () => {
    await site.adaHasTyped();
    site.endSessions();
    site.rotateSecret();
    site.rotateSecret();
    await site.signIn('ada');
    await site.open('/form');
    expect(await site.account().inputValue()).toBe('');
    await site.restore().click();
    expect(await site.account().inputValue()).toBe(TEXT);
    await site.settled();
    expect(await site.contents((await site.stored())[0]!)).toContainEqual(['account false', TEXT]);
  });

  it('cannot be read by another person after the secret was rotated', async () => {
    await site.adaHasTyped();
    site.endSessions();
    site.rotateSecret();
    await site.signIn('bob');
    await site.open('/form');
    expect(await site.restore().count()).toBe(0);
    expect(await site.stored()).toEqual([]);
  });

  it('is removed when the secret that it was kept under is none any more', async () => {
    await site.adaHasTyped();
    site.rotateSecret();
    site.olderKeys.clear();
    await site.open('/form');
    expect(await site.restore().count()).toBe(0);
    expect(await site.stored()).toEqual([]);
  });

  it('is removed when it is refused, and not offered again', async () => {
    await site.adaHasTyped();
    await site.open('/form');
    await site.discard().click();
    expect(await site.stored()).toEqual([]);
    await site.open('/form');
    expect(await site.restore().count()).toBe(0);
  });

  it('is removed when it is a day old, and not before', async () => {
    await site.adaHasTyped();
    await site.advance(23 * HOUR);
    await site.open('/done');
    expect(await site.stored()).toHaveLength(1);
    await site.advance(2 * HOUR);
    await site.open('/form');
    expect(await site.stored()).toEqual([]);
    expect(await site.restore().count()).toBe(0);
  });

  it.each([
    ['a changed byte', (item: string) => item.replace(/\d+$/, (byte) => `${Number(byte) ^ 1}`)],
    ['a later time', (item: string) => item.replace(/^\d+/, (at) => `${Number(at) + 1}`)],
    ['nothing that makes sense', () => 'what is this?'],
    ['nothing', () => ''],
  ])('with %s is removed', async (_, tamper) => {
    await site.adaHasTyped();
    const [[name, item] = ['', '']] = await site.stored();
    await site.page.evaluate(
      ([key, value]) => sessionStorage.setItem(key!, value!),
      [name, tamper(item)],
    );
    await site.open('/form');
    expect(await site.restore().count()).toBe(0);
    expect(await site.stored()).toEqual([]);
  });

  it('cannot be moved to another form', async () => {
    await site.adaHasTyped();
    await site.page.evaluate(() => {
      const [[name, item]] = Object.entries(sessionStorage) as [[string, string]];
      sessionStorage.clear();
      sessionStorage.setItem(name.replace('/form', '/other'), item);
    });
    await site.open('/other');
    expect(await site.restore().count()).toBe(0);
    expect(await site.stored()).toEqual([]);
  });

  it('is for one form, path and query only', async () => {
    await site.adaHasTyped();
    for (const place of ['/other', '/form?claim=2']) {
      await site.open(place);
      expect(await site.restore().count()).toBe(0);
    }
    expect(await site.stored()).toHaveLength(1);
    await site.open('/form#somewhere');
    expect(await site.restore().count()).toBe(1);
  });

  it('is not offered where the form shows it already', async () => {
    await site.adaHasTyped();
    site.formBody = site.formBody.replace('></textarea>', `>${TEXT}</textarea>`);
    await site.open('/form');
    expect(await site.restore().count()).toBe(0);
    expect(await site.stored()).toHaveLength(1);
  });

  it('is removed when the form is reset', async () => {
    await site.adaHasTyped();
    await site.page.evaluate(() => document.forms[0]!.reset());
    expect(await site.stored()).toEqual([]);
  });

  it('stays when the session ends while the page is open', async () => {
    await site.adaHasTyped();
    site.endSessions();
    await site.page.evaluate(() => dispatchEvent(new Event('online')));
    await site.covered();
    expect(await site.stored()).toHaveLength(1);
  });

  it('stays when the page resets its forms after the session has ended, however late drafts were loaded', async () => {
    await site.adaHasTyped();
    site.endSessions();
    await site.page.evaluate(() => dispatchEvent(new Event('online')));
    await site.ended();
    await site.guardAnew();
    await site.page.evaluate(() => document.forms[0]!.reset());
    expect(await site.stored()).toHaveLength(1);
  });
});

describe('There is no draft', () => {
  it('of a form that nobody changed, whatever scripts do to it', async () => {
    await site.signIn('ada');
    await site.open('/form');
    await site.page.evaluate(() => {
      const field = document.querySelector('textarea')!;
      field.value = 'a script was here';
      for (const type of ['input', 'change'])
        field.dispatchEvent(new Event(type, { bubbles: true }));
    });
    await site.account().focus();
    await site.settled();
    expect(await site.stored()).toEqual([]);
    await site.send().click();
    await site.page.waitForURL('**/done');
    expect(await site.stored()).toEqual([]);
  });

  it.each([401, 404, 503, 'network error'] as const)('without a key: %s', async (status) => {
    site.draftKeyStatus = status;
    await site.signIn('ada');
    await site.open('/form');
    await site.type();
    expect(await site.stored()).toEqual([]);
    // Not once per key press.
    expect(site.draftKeyRequests).toBeLessThanOrEqual(2);
  });

  it('without a session', async () => {
    site.formBody += '<p>Public</p>';
    await site.signIn('ada');
    await site.open('/form');
    site.endSessions();
    await site.page.reload().catch(() => {});
    await site.page.goto(`${site.url}/login`);
    await site.page.evaluate(() => {
      const form = document.createElement('form');
      form.dataset.guardForms = '';
      form.append(document.createElement('textarea'));
      document.body.append(form);
    });
    const requests = site.draftKeyRequests;
    await site.page.locator('textarea').fill('nobody');
    await site.settled();
    expect(await site.stored()).toEqual([]);
    expect(site.draftKeyRequests).toBe(requests);
  });

  it('on an insecure page, where there is no encryption', async () => {
    const insecure = site.url.replace('127.0.0.1', 'app.test');
    await site.signIn('ada', insecure);
    await site.open('/form', insecure);
    expect(await site.page.evaluate(() => isSecureContext)).toBe(false);
    await site.type();
    expect(await site.stored()).toEqual([]);
    expect(site.draftKeyRequests).toBe(0);
  });

  it('of what is entered after the session has ended: it may be of the next person, and the key is of the one before', async () => {
    await site.adaHasTyped();
    await site.open('/form');
    await site.restore().click();
    site.endSessions();
    await site.page.evaluate(() => dispatchEvent(new Event('online')));
    await site.ended();
    const before = await site.stored();
    expect(before).toHaveLength(1);
    // As in an app that lets people sign in again within the page.
    await site.signIn('bob');
    await site.type('of the next person');
    expect(await site.stored()).toEqual(before);
  });

  it('once it was stopped', async () => {
    await site.adaHasTyped();
    await site.open('/form');
    expect(await site.restore().count()).toBe(1);
    await site.stop();
    expect(await site.restore().count()).toBe(0);
    const before = await site.stored();
    await site.type('more');
    expect(await site.stored()).toEqual(before);
  });

  it('lost when something is entered before the server has answered', async () => {
    await site.adaHasTyped();
    let answerNow!: () => void;
    const later = new Promise<void>((resolve) => (answerNow = resolve));
    await site.page.route('**/idle-session/status', async (route) => {
      await later;
      await route.continue();
    });
    await site.page.goto(`${site.url}/form`);
    await site.page.getByLabel('Place').fill('here');
    answerNow();
    await site.restore().click();
    expect(await site.account().inputValue()).toBe(TEXT);
    await site.settled();
    expect(await site.contents((await site.stored())[0]!)).toContainEqual(['account false', TEXT]);
  });
});

describe('The offer', () => {
  it('is announced, names the day, takes no focus, and gives it to the form when it goes', async () => {
    await site.adaHasTyped();
    await site.open('/form');
    const offer = site.page.getByRole('status');
    expect(await offer.textContent()).toMatch(
      /^Unsent entries \([SMTWF][a-z]+day\D+\d+:\d\d.[AP]M\) Restore Discard$/,
    );
    expect(await site.page.evaluate(() => document.activeElement === document.body)).toBe(true);
    expect(await offer.evaluate((box) => box.nextElementSibling!.localName)).toBe('form');
    await site.restore().focus();
    await site.page.keyboard.press('Enter');
    expect(await site.page.evaluate(() => document.activeElement!.localName)).toBe('form');
  });

  it('is in the language of the form', async () => {
    await site.adaHasTyped();
    const plain = site.formBody;
    for (const [lang, ...words] of [
      ['en-GB', 'Unsent entries', 'Restore', 'Discard'],
      ['fr', 'Saisie non envoyée', 'Restaurer', 'Supprimer'],
      ['DE-at', 'Nicht gesendete Eingaben', 'Wiederherstellen', 'Verwerfen'],
      ['es', 'Datos sin enviar', 'Restaurar', 'Descartar'],
      ['pt-BR', 'Dados não enviados', 'Restaurar', 'Descartar'],
      ['it', 'Dati non inviati', 'Ripristina', 'Elimina'],
      ['nl', 'Niet-verzonden gegevens', 'Herstellen', 'Verwijderen'],
      ['cy', 'Manylion heb eu hanfon', 'Adfer', 'Dileu'],
      ['frr', 'Unsent entries', 'Restore', 'Discard'],
      ['not a language', 'Unsent entries', 'Restore', 'Discard'],
    ]) {
      site.formBody = `<main lang="${lang}">${plain}</main>`;
      await site.open('/form');
      const said = await site.page.getByRole('status').textContent();
      const [, ...found] = /^(.*?) \(.*?\d+:\d\d.*?\) (\S+) (\S+)$/.exec(said ?? '') ?? [said];
      expect([lang, ...found]).toEqual([lang, ...words]);
    }
  });

  it('can be refused without losing what was entered since', async () => {
    await site.adaHasTyped();
    await site.open('/form');
    await site.type('something else');
    await site.discard().click();
    await site.settled();
    expect(await site.contents((await site.stored())[0]!)).toContainEqual([
      'account false',
      'something else',
    ]);
  });
});
