import { beforeEach, describe, expect, it } from '@jest/globals';
import { DraftPage, TEXT } from './support/draft-page.js';

const site = DraftPage.forEachTest();

/** As a script puts a guarded form with one field into the page that is open. */
async function addForm(tag: 'input' | 'textarea', name: string): Promise<void> {
  await site.page.evaluate(
    (field) => {
      const form = document.createElement('form');
      form.id = 'late';
      form.dataset.guardForms = '';
      form.append(Object.assign(document.createElement(field.tag), { name: field.name }));
      document.body.append(form);
    },
    { tag, name },
  );
}

describe('A submitted form', () => {
  it.each(['done', 'same page'] as const)(
    'that was taken has no draft any more: %s',
    async (way) => {
      site.answer = way;
      await site.adaHasTyped();
      await site.send().click();
      await site.page.waitForURL(way === 'done' ? '**/done' : '**/form');
      await site.arrived();
      expect(await site.stored()).toEqual([]);
      expect(await site.restore().count()).toBe(0);
    },
  );

  it('that was refused because the session had ended is offered again', async () => {
    await site.adaHasTyped();
    site.endSessions();
    await site.send().click();
    await site.page.waitForURL('**/login');
    await site.arrived();
    await site.signIn('ada');
    await site.open('/form');
    await site.restore().click();
    expect(await site.account().inputValue()).toBe(TEXT);
  });

  it('that was refused because the session had ended can be sent once restored', async () => {
    await site.adaHasTyped();
    site.endSessions();
    await site.send().click();
    await site.page.waitForURL('**/login');
    await site.signIn('ada');
    await site.open('/form');
    await site.restore().click();
    await site.send().click();
    await site.page.waitForURL('**/done');
    await site.arrived();
    expect(await site.stored()).toEqual([]);
  });

  it('that has errors keeps its draft, also when it is left then', async () => {
    site.answer = 'invalid';
    await site.adaHasTyped();
    await Promise.all([
      site.page.waitForResponse((response) => response.status() === 422),
      site.send().click(),
    ]);
    await site.arrived();
    await site.open('/done');
    await site.open('/form');
    await site.restore().click();
    expect(await site.account().inputValue()).toBe(TEXT);
  });

  it('that reached nobody is offered again on coming back', async () => {
    site.answer = 'broken';
    site.formBody = site.formBody.replace('<form', '<form action="/other"');
    await site.adaHasTyped();
    await site.send().click();
    await site.page.waitForURL('chrome-error://**');
    await site.page.goBack();
    await site.arrived();
    await site.open('/done');
    await site.open('/form');
    await site.restore().click();
    expect(await site.account().inputValue()).toBe(TEXT);
  });

  it('that a script sends has no draft any more on the next page', async () => {
    await site.adaHasTyped();
    await site.page.evaluate(() => addEventListener('submit', (event) => event.preventDefault()));
    await site.send().click();
    await site.settled();
    await site.open('/done');
    expect(await site.stored()).toEqual([]);
  });

  it('that is changed after the submit is not taken for sent', async () => {
    await site.adaHasTyped();
    await site.page.evaluate(() => addEventListener('submit', (event) => event.preventDefault()));
    await site.send().click();
    await site.account().press('!');
    await site.settled();
    await site.open('/done');
    expect(await site.stored()).toHaveLength(1);
  });
});

describe('In a browser that tells a page no status, as WebKit, a submitted form', () => {
  const sendAnswered = async (answer: typeof site.answer) => {
    await site.page.context().addInitScript(() => {
      Reflect.deleteProperty(PerformanceResourceTiming.prototype, 'responseStatus');
    });
    site.answer = answer;
    await site.adaHasTyped();
    await Promise.all([site.page.waitForEvent('domcontentloaded'), site.send().click()]);
    await site.arrived();
  };

  it('that comes back with errors keeps its draft', async () => {
    await sendAnswered('invalid');
    expect(await site.stored()).toHaveLength(1);
    await site.open('/done');
    await site.open('/form');
    await site.restore().click();
    expect(await site.account().inputValue()).toBe(TEXT);
  });

  it('that was taken has no draft any more', async () => {
    await sendAnswered('done');
    expect(await site.stored()).toEqual([]);
  });

  it('keeps its draft where nothing says that it was taken', async () => {
    await sendAnswered('public');
    expect(await site.stored()).toHaveLength(1);
  });
});

describe('Fields', () => {
  it('of all kinds are kept and restored, with the events of a change', async () => {
    site.formBody = `<form method="post" data-guard-forms id="all">
      <input name="text"><input name="same"><input name="same"><input type="date" name="date">
      <textarea name="area"></textarea>
      <select name="one"><option>a</option><option>b</option></select>
      <select name="many" multiple><option>a</option><option>b</option><option>c</option></select>
      <input type="checkbox" name="box" value="1"><input type="checkbox" name="box" value="2" checked>
      <input type="radio" name="radio" value="x" checked><input type="radio" name="radio" value="y">
    </form><input form="all" name="outside">`;
    await site.signIn('ada');
    await site.open('/form');
    await site.page.locator('[name=text]').fill('words, "quoted"');
    await site.page.locator('[name=same]').nth(0).fill('first');
    await site.page.locator('[name=same]').nth(1).fill('second');
    await site.page.locator('[name=date]').fill('2026-02-03');
    await site.page.locator('[name=area]').fill('two\nlines');
    await site.page.locator('[name=one]').selectOption('b');
    await site.page.locator('[name=many]').selectOption(['a', 'c']);
    await site.page.locator('[name=box]').nth(0).check();
    await site.page.locator('[name=box]').nth(1).uncheck();
    await site.page.locator('[name=radio]').nth(1).check();
    await site.page.locator('[name=outside]').pressSequentially('out');
    const state = () => site.page.evaluate(() => [...new FormData(document.forms[0]!)]);
    const before = await state();
    await site.settled();
    await site.open('/form');
    expect(await state()).not.toEqual(before);
    await site.page.evaluate(() => {
      const heard: string[] = [];
      Object.assign(window, { heard });
      for (const type of ['input', 'change']) {
        document.addEventListener(type, ({ target }) => {
          const { name, value } = target as HTMLInputElement;
          heard.push(`${type} ${name} ${value}`);
        });
      }
    });
    await site.restore().click();
    expect(await state()).toEqual(before);
    const heard = await site.page.evaluate(() => (window as unknown as { heard: string[] }).heard);
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
    site.formBody = `<form method="post" data-guard-forms>
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
    await site.signIn('ada');
    await site.open('/form');
    for (const name of ['password', 'off', 'card', 'code', 'new']) {
      await site.page.locator(`[name=never-${name}]`).fill('secret');
    }
    await site.page.locator('[name=form-off]').fill('secret');
    await site.page.locator('[name=unguarded]').fill('secret');
    await site.page.locator('[name=kept]').fill('kept');
    await site.settled();
    const drafts = await site.stored();
    expect(drafts).toHaveLength(1);
    expect(await site.contents(drafts[0]!)).toEqual([['kept false', 'kept']]);
  });

  it('that hold a password are not kept when a button shows it', async () => {
    site.formBody = `<form method="post" data-guard-forms>
      <input type="password" name="password"><input name="kept"></form>`;
    await site.signIn('ada');
    await site.open('/form');
    await site.page.evaluate(() => {
      document.querySelector<HTMLInputElement>('[name=password]')!.type = 'text';
    });
    await site.page.locator('[name=password]').fill('secret');
    await site.page.locator('[name=kept]').fill('kept');
    await site.settled();
    expect(await site.contents((await site.stored())[0]!)).toEqual([['kept false', 'kept']]);
  });

  it('of forms that come later are kept', async () => {
    const late = site.formBody;
    site.formBody = '<h1>Nothing yet</h1>';
    await site.signIn('ada');
    await site.open('/form');
    expect(site.draftKeyRequests).toBe(0);
    await addForm('input', 'place');
    await site.page.locator('[name=place]').fill('here');
    await site.settled();
    expect(await site.contents((await site.stored())[0]!)).toEqual([['place false', 'here']]);
    expect(site.draftKeyRequests).toBe(1);
    site.formBody = late.replace('<form', '<form id="late"');
    await site.open('/form');
    await site.restore().click();
    expect(await site.page.getByLabel('Place').inputValue()).toBe('here');
  });
});

describe('A form that comes into the page after its draft', () => {
  beforeEach(async () => {
    site.formBody = '<form id="late" data-guard-forms><textarea name="account"></textarea></form>';
    await site.signIn('ada');
    await site.open('/form');
    await typeInto('first');
    site.formBody = '<h1>Nothing yet</h1>';
    await site.open('/form');
    await addForm('textarea', 'account');
    await typeInto('!');
  });

  const field = () => site.page.locator('textarea');
  async function typeInto(text: string): Promise<void> {
    await field().pressSequentially(text);
    await site.settled();
  }
  const kept = async () => (await site.contents((await site.stored())[0]!))[0]![1];

  it('is offered it once it is typed in, and what was typed is kept until the person restores the rest', async () => {
    expect(await site.restore().count()).toBe(1);
    expect(await field().inputValue()).toBe('!');
    expect(await kept()).toBe('!');
    await site.restore().click();
    await site.settled();
    expect(await field().inputValue()).toBe('first');
    expect(await kept()).toBe('first');
  });

  it('is offered it once only, and keeps what was typed if that is refused', async () => {
    await typeInto('!');
    expect(await site.restore().count()).toBe(1);
    await site.discard().click();
    await typeInto('!');
    expect(await site.restore().count()).toBe(0);
    expect(await kept()).toBe('!!!');
  });
});

describe('A field may be named like what a form has itself', () => {
  it('such as `id`: each form has a draft of its own', async () => {
    const formOf = (id: number) => `<form method="post" data-guard-forms>
      <input type="hidden" name="id" value="${id}"><label>Note ${id} <input name="note"></label></form>`;
    site.formBody = formOf(1) + formOf(2);
    await site.signIn('ada');
    await site.open('/form');
    const note = (id: number) => site.page.getByLabel(`Note ${id}`);
    for (const id of [1, 2]) await note(id).fill(`of ${id}`);
    await site.settled();
    expect(await site.stored()).toHaveLength(2);
    await site.open('/form');
    for (const id of [1, 2]) {
      await site.restore().first().click();
      expect(await note(id).inputValue()).toBe(`of ${id}`);
    }
  });

  it('such as any word: the form has a draft, in its language, until it was taken', async () => {
    await site.signIn('ada');
    await site.open('/form');
    const words = await site.page.evaluate(() => {
      const names = ['form'];
      for (let one: object = document.forms[0]!; one; one = Object.getPrototypeOf(one) as object)
        names.push(...Object.getOwnPropertyNames(one));
      return names.filter((name) => /^[a-z]+$/.test(name));
    });
    expect(words).toEqual(expect.arrayContaining(['id', 'method', 'elements', 'lang', 'matches']));
    const fields = words.map((word) => `<input type="hidden" name="${word}">`).join('');
    site.formBody = site.formBody.replace(
      'data-guard-forms>',
      `data-guard-forms lang="de">${fields}`,
    );
    await site.open('/form');
    await site.type();
    await site.open('/form');
    await site.page.getByRole('button', { name: 'Wiederherstellen' }).click();
    expect(await site.account().inputValue()).toBe(TEXT);
    expect(await site.page.evaluate(() => document.activeElement!.localName)).toBe('form');
    await site.send().click();
    await site.page.waitForURL('**/done');
    await site.arrived();
    expect(await site.stored()).toEqual([]);
  });
});
