import { describe, expect, it } from '@jest/globals';
import { DraftPage, TEXT } from './support/draft-page.js';

const site = DraftPage.forEachTest();

describe('The offer', () => {
  it('is announced, takes no focus, and gives it to the form when it goes', async () => {
    await site.adaHasTyped();
    await site.open('/form');
    const offer = site.page.getByRole('status');
    expect(await offer.textContent()).toMatch(
      /^Unsent entries \(\d+:\d\d.[AP]M\) Restore Discard$/,
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
      ['de-AT', 'Nicht gesendete Eingaben', 'Wiederherstellen', 'Verwerfen'],
      ['es', 'Datos sin enviar', 'Restaurar', 'Descartar'],
      ['pt-BR', 'Dados por enviar', 'Restaurar', 'Descartar'],
      ['it', 'Dati non inviati', 'Ripristina', 'Elimina'],
      ['nl', 'Niet-verzonden gegevens', 'Herstellen', 'Verwijderen'],
      ['cy', 'Cofnodion heb eu hanfon', 'Adfer', 'Dileu'],
      ['xx', 'Unsent entries', 'Restore', 'Discard'],
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
