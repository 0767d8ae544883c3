import { describe, expect, it } from '@jest/globals';
import { browserInWords } from './browser-in-words.js';

const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const CHROME = `${WEBKIT} Chrome/140.0.0.0`;

describe('A browser in words', () => {
  it.each([
    ['Firefox on Windows', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Firefox/143.0'],
    ['Firefox on iPhone', `Mozilla/5.0 (iPhone; like Mac OS X) ${WEBKIT} FxiOS/143.0 Safari/605.1`],
    ['Chrome on Linux', `Mozilla/5.0 (X11; Linux x86_64) ${CHROME} Safari/537.36`],
    ['Chrome on Android', `Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`],
    ['Chrome on ChromeOS', `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${CHROME} Safari/537.36`],
    ['Edge on Windows', `Mozilla/5.0 (Windows NT 10.0) ${CHROME} Safari/537.36 Edg/140.0.0.0`],
    ['Opera on Mac', `Mozilla/5.0 (Intel Mac OS X 10_15_7) ${CHROME} Safari/537.36 OPR/123.0`],
    ['Safari on Mac', `Mozilla/5.0 (Intel Mac OS X 10_15_7) ${WEBKIT} Version/18.6 Safari/605.1`],
    ['Safari on iPad', `Mozilla/5.0 (iPad; like Mac OS X) ${WEBKIT} Version/18.6 Safari/605.1`],
    ['Unknown browser on Linux', 'Lynx (Linux)'],
    ['Unknown browser', ''],
    ['Unknown browser', undefined],
  ])('is %s', (words, userAgent) => {
    expect(browserInWords(userAgent)).toBe(words);
  });

  it('has nothing in it that an attacker wrote', () => {
    expect(browserInWords('<b>Firefox/9</b> Windows <script>')).toBe('Firefox on Windows');
  });
});
