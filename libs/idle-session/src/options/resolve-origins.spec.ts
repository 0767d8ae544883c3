import { describe, expect, it } from '@jest/globals';
import { errorOf, resolve } from './resolve-options.spec-support.js';

const APP = 'https://app.example.com';

const errorFor = (origins: unknown, session = {}) => errorOf(() => resolve({ origins }, session));

describe('The option origins', () => {
  it('is nobody where it is left out', () => {
    expect(resolve({}).origins).toEqual([]);
    expect(resolve({ origins: [] }).origins).toEqual([]);
  });

  it.each([
    [[APP]],
    [[APP, 'https://admin.example.com', 'https://example.com', 'https://a.b.example.com:8443']],
    [['http://localhost:5173', 'http://localhost:4200']],
    [['http://192.168.1.20:5173']],
    [['http://[::1]:5173']],
    // Whether these are of one site, only browsers know: they have the list of public suffixes.
    [['https://app.co.uk', 'https://shop.co.uk']],
  ])('takes exact origins that may be of one site: %j', (origins) => {
    expect(resolve({ origins }).origins).toEqual(origins);
  });

  it.each([APP, '*', true, null, {}, new Set([APP])])('takes an array, and not %p', (origins) => {
    const { option, message } = errorFor(origins);
    expect(option).toBe('origins');
    expect(message).toContain("it takes an array of origins, such as ['https://app.example.com'].");
  });

  it.each<[unknown, string, string]>([
    ['https://app.example.com/', "'https://app.example.com/'", APP],
    ['https://app.example.com/desk', "'https://app.example.com/desk'", APP],
    ['https://app.example.com?x', 'a string of 25 characters', APP],
    ['https://App.Example.com', "'https://App.Example.com'", APP],
    ['https://app.example.com:443', "'https://app.example.com:443'", APP],
    ['https://bücher.example', 'a string of 22 characters', 'https://xn--bcher-kva.example'],
    ['https://ada:secret@app.example.com', 'a string of 34 characters', APP],
    ['https://*.example.com', "'https://*.example.com'", APP],
    ['*', "'*'", APP],
    ['null', "'null'", APP],
    ['', "''", APP],
    ['app.example.com', "'app.example.com'", APP],
    ['//app.example.com', "'//app.example.com'", APP],
    ['wss://app.example.com', "'wss://app.example.com'", APP],
    ['capacitor://localhost', "'capacitor://localhost'", APP],
    ['file:///index.html', "'file:///index.html'", APP],
    [undefined, 'undefined', APP],
    [null, 'null', APP],
    [/example/, 'an object (RegExp)', APP],
    [7, '7', APP],
  ])('refuses %p, and names it', (origin, got, suggestion) => {
    const { option, message } = errorFor([origin]);
    expect(option).toBe('origins[0]');
    expect(message).toBe(
      `Option "origins[0]" got ${got}; it takes an exact origin as browsers send it, scheme, host and port: '${suggestion}'.`,
    );
  });

  it.each([
    'https://app.example.org',
    'https://app.other.com',
    'https://example.com.evil.net',
    'http://admin.example.com',
    'https://localhost',
    'https://10.0.0.1',
  ])('refuses an origin of another site than the first, with the reason: %s', (origin) => {
    const { option, message } = errorFor([APP, 'https://admin.example.com', origin]);
    expect(option).toBe('origins[2]');
    expect(message).toBe(
      `Option "origins[2]" got '${origin}'; it takes an origin of the same site as origins[0], '${APP}': ` +
        'browsers send the session cookie only within one site, which is a scheme and a registrable domain.',
    );
  });

  it.each([
    ['http://10.0.0.1', 'http://192.168.0.1'],
    ['http://localhost', 'http://127.0.0.1'],
    ['http://app.localhost', 'http://api.localhost'],
  ])('takes %s and %s for two sites, as browsers do', (...origins) => {
    expect(errorFor(origins).option).toBe('origins[1]');
  });

  it('refuses an origin of another site than the domain of the cookie', () => {
    const session = (domain: string) => ({ cookie: { domain } });
    for (const domain of ['example.com', '.example.com', 'Example.COM', 'api.example.com'])
      expect(resolve({ origins: [APP] }, session(domain)).origins).toEqual([APP]);
    const { option, message } = errorFor([APP], session('example.org'));
    expect(option).toBe('origins[0]');
    expect(message).toContain('an origin of the same site as session.cookie.domain: browsers');
  });

  it('refuses http where the cookie needs https, but not on the own machine', () => {
    const session = { cookie: { secure: true } };
    const local = ['http://localhost:5173'];
    expect(resolve({ origins: local }, session).origins).toEqual(local);
    expect(resolve({ origins: [APP] }, session).origins).toEqual([APP]);
    const { option, message } = errorFor(['http://app.example.com'], session);
    expect(option).toBe('origins[0]');
    expect(message).toContain('an https origin beside session.cookie.secure: true: browsers');
  });

  it('goes by what a preset sets for the cookie', () => {
    const options = { preset: 'owasp-asvs-5', origins: ['http://app.example.com'] };
    expect(errorOf(() => resolve(options)).message).toContain('session.cookie.secure: true');
  });
});
