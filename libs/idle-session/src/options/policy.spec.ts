import { describe, expect, it } from '@jest/globals';
import { policyOf } from './policy.js';
import type { ValuesInForce } from './preset-rules.js';
import { PRESETS, type IdleSessionPreset } from './presets.js';
import { resolve, SECRET } from './resolve-options.spec-support.js';

const VALUES: ValuesInForce = {
  idleTimeout: 900_000,
  absoluteTimeout: false,
  lockAfter: false,
  warnBefore: false,
  onStorageError: 'reject',
  'session.name': 'app-sid',
  'session.persistentCookie': false,
  'session.cookie.secure': true,
  'session.cookie.httpOnly': true,
  'session.cookie.sameSite': 'lax',
};

const policy = (options: object, session: object = {}) => resolve(options, session).policy;

const limit = (option: string, options: object, session: object = {}) =>
  policy(options, session).limits.find((one) => one.option === option);

describe('The policy', () => {
  it('says without a preset what the defaults are', () => {
    expect(policy({})).toMatchObject({
      preset: null,
      summary:
        'No preset: sessions end after 15 minutes without activity (default); sessions end 12 hours after sign-in at the latest (default); ' +
        'people are warned 2 minutes before (default; WCAG 2.2, 2.2.1); ' +
        'requests are refused while the activity storage is away (default).',
    });
  });

  it('says with a preset what it set, and the clause', () => {
    expect(policy({ preset: 'nist-aal2', warnBefore: false })).toMatchObject({
      preset: 'nist-aal2',
      summary:
        "Preset 'nist-aal2': sessions end after 1 hour without activity (preset; NIST SP 800-63B-4, 2.2.3); " +
        'sessions end 24 hours after sign-in at the latest (preset; NIST SP 800-63B-4, 2.2.3); ' +
        'nobody is warned (option; WCAG 2.2, 2.2.1); ' +
        'requests are refused while the activity storage is away (preset; NIST SP 800-63B-4, 5.1).',
    });
  });

  it('names the app as the source of what it gave, also where the preset would set the same', () => {
    expect(limit('idleTimeout', { preset: 'pci-dss-4', idleTimeout: '15m' })).toEqual({
      option: 'idleTimeout',
      value: 900_000,
      words: 'sessions end after 15 minutes without activity',
      source: 'option',
      clause: 'PCI DSS 4.0.1, 8.2.8',
    });
  });

  it('names the module as the source where no clause names a figure', () => {
    expect(limit('idleTimeout', { preset: 'owasp-asvs-5' })).toMatchObject({
      value: 900_000,
      source: 'default',
      clause: 'OWASP ASVS 5.0, 7.3.1',
    });
  });

  it('says that a function decides, and the bound of its answers', () => {
    const options = { preset: 'stig-asd', idleTimeout: () => '10m' };
    expect(limit('idleTimeout', options)).toEqual({
      option: 'idleTimeout',
      value: null,
      words:
        'without activity, sessions end after the time that a function returns for each request, at most 15 minutes',
      source: 'option',
      clause: 'DISA ASD STIG, V-222389',
    });
    expect(limit('warnBefore', options)).toMatchObject({ value: null, source: 'default' });
    expect(limit('warnBefore', { ...options, warnBefore: '1m' })).toMatchObject({ value: 60_000 });
  });

  it('holds one idle timeout for everybody to the clause for administrators', () => {
    expect(limit('idleTimeout', { preset: 'stig-asd' })).toMatchObject({
      value: 600_000,
      source: 'preset',
      clause: 'DISA ASD STIG, V-222390',
    });
  });

  it('knows sessions without an absolute limit', () => {
    expect(limit('absoluteTimeout', { absoluteTimeout: false })).toEqual({
      option: 'absoluteTimeout',
      value: false,
      words: 'sessions of active people have no end',
      source: 'option',
      clause: null,
    });
  });

  it.each<[string, object, object]>([
    ['session.name', { name: 'desk' }, { value: 'desk', source: 'option' }],
    ['session.persistentCookie', {}, { value: false, words: 'the cookie ends with the browser' }],
    ['session.persistentCookie', { persistentCookie: true }, { value: true, source: 'option' }],
    ['session.cookie.secure', {}, { value: 'auto', source: 'default' }],
    ['session.cookie.secure', { cookie: { secure: false } }, { value: false, source: 'option' }],
    ['session.cookie.httpOnly', { cookie: { httpOnly: false } }, { value: false }],
    ['session.cookie.sameSite', {}, { value: 'lax', words: 'the cookie is SameSite: lax' }],
  ])('has the cookie: %s %j', (option, session, expected) => {
    expect(limit(option, {}, session)).toMatchObject({ ...expected, clause: null });
  });

  it('says that requests go unchecked where the app allows it', () => {
    expect(policy({ onStorageError: 'allow' }).summary).toContain(
      'requests go unchecked while the activity storage is away (option)',
    );
  });

  it.each(Object.entries(PRESETS))('has every rule of preset %s', (preset, rules) => {
    const { limits } = policy({ preset: preset as IdleSessionPreset });
    const clauses = limits.map(({ clause }) => clause);
    // The clause for users is behind functions only: one value for everybody is held to that for administrators.
    const asked = Object.entries(rules).filter(
      ([option]) => !(option === 'idleTimeout' && 'commonIdleTimeout' in rules),
    );
    expect(clauses).toEqual(expect.arrayContaining(asked.map(([, { clause }]) => clause)));
  });

  it('says that a function decided at sign-in, and the bound of its answers', () => {
    const session = { secret: SECRET };
    const values = { ...VALUES, absoluteTimeout: null };
    expect(policyOf({ session, preset: 'nist-aal2' }, values).limits[1]).toMatchObject({
      value: null,
      words: 'sessions end after the time that a function returned at sign-in, at most 24 hours',
    });
  });

  it('can be sent as JSON', () => {
    const whole = policy({ preset: 'psd2' });
    expect(JSON.parse(JSON.stringify(whole))).toEqual(whole);
  });
});
