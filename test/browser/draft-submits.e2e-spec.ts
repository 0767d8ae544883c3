import { describe, expect, it } from '@jest/globals';
import { DraftPage, TEXT } from './support/draft-page.js';

const site = DraftPage.forEachTest();

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
