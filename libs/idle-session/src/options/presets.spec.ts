import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { IdleSessionOptionsError } from '../utils/option-error.js';
import { PRESETS, type IdleSessionPreset } from './presets.js';
import { errorOf, resolve, warnings } from './resolve-options.spec-support.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const request = {} as Request;

interface Bound {
  preset: IdleSessionPreset;
  option: 'idleTimeout' | 'absoluteTimeout';
  atMostMs: number;
  clause: string;
}

/** The figures once more, as docs/compliance.md has them. */
const BOUNDS: Bound[] = [
  { preset: 'pci-dss-4', option: 'idleTimeout', atMostMs: 15 * MINUTE, clause: '8.2.8' },
  { preset: 'nist-aal1', option: 'absoluteTimeout', atMostMs: 30 * DAY, clause: '2.1.3' },
  { preset: 'nist-aal2', option: 'idleTimeout', atMostMs: HOUR, clause: '2.2.3' },
  { preset: 'nist-aal2', option: 'absoluteTimeout', atMostMs: DAY, clause: '2.2.3' },
  { preset: 'nist-aal3', option: 'idleTimeout', atMostMs: 15 * MINUTE, clause: '2.3.3' },
  { preset: 'nist-aal3', option: 'absoluteTimeout', atMostMs: 12 * HOUR, clause: '2.3.3' },
  { preset: 'psd2', option: 'idleTimeout', atMostMs: 5 * MINUTE, clause: '4(3)(d)' },
  { preset: 'stig-asd', option: 'idleTimeout', atMostMs: 10 * MINUTE, clause: 'V-222390' },
];

/** The other limit, out of the way of the one that is tried. */
const withRoom = (option: Bound['option'], value: unknown) =>
  option === 'idleTimeout' ? { idleTimeout: value } : { idleTimeout: '5m', absoluteTimeout: value };

const limitOf = (option: Bound['option'], options: object) => {
  const { commonIdleTimeoutMs, absoluteTimeoutMs } = resolve(options);
  return option === 'idleTimeout' ? commonIdleTimeoutMs : absoluteTimeoutMs;
};

describe.each(BOUNDS)('Preset $preset: $option', ({ preset, option, atMostMs, clause }) => {
  it('is at the bound of the clause where the app leaves it out', () => {
    expect(limitOf(option, { preset })).toBe(atMostMs);
  });

  it('may be at the bound, and stricter', () => {
    for (const value of [atMostMs, atMostMs - 1])
      expect(limitOf(option, { preset, ...withRoom(option, value) })).toBe(value);
  });

  it('is refused from one millisecond over the bound on, with the clause', () => {
    const error = errorOf(() => resolve({ preset, ...withRoom(option, atMostMs + 1) }));
    expect(error.option).toBe(option);
    expect(error.message).toContain(`got ${atMostMs + 1}; it takes at most `);
    expect(error.message).toContain(` with preset '${preset}' (`);
    expect(error.message).toContain(clause);
  });
});

describe('A preset', () => {
  it.each(Object.keys(PRESETS) as IdleSessionPreset[])(
    '%s starts with nothing but a secret, and warns of nothing',
    (preset) => {
      expect(() => resolve({ preset })).not.toThrow();
      expect(warnings).toEqual([]);
    },
  );

  it.each(Object.keys(PRESETS) as IdleSessionPreset[])(
    '%s lets no request through unchecked while the storage is away',
    (preset) => {
      expect(resolve({ preset }).onStorageError).toBe('reject');
      const error = errorOf(() => resolve({ preset, onStorageError: 'allow' }));
      expect(error.option).toBe('onStorageError');
      expect(error.message).toContain(`got 'allow'; it takes 'reject' with preset '${preset}' (`);
    },
  );

  it.each(['nist-aal1', 'nist-aal2', 'nist-aal3', 'owasp-asvs-5'])(
    '%s takes no session without an absolute limit',
    (preset) => {
      const error = errorOf(() => resolve({ preset, absoluteTimeout: false }));
      expect(error.option).toBe('absoluteTimeout');
      expect(error.message).toContain('got false; it takes ');
    },
  );

  it.each(['pci-dss-4', 'psd2', 'stig-asd'])(
    '%s asks for no absolute limit, so the default of the module stays, and false is taken',
    (preset) => {
      expect(resolve({ preset }).absoluteTimeoutMs).toBe(12 * HOUR);
      expect(resolve({ preset, absoluteTimeout: false }).absoluteTimeoutMs).toBe(false);
    },
  );

  it.each(['nist-aal1', 'owasp-asvs-5'])(
    '%s names no figure for the idle timeout, so the default of the module stays',
    (preset) => {
      expect(resolve({ preset }).commonIdleTimeoutMs).toBe(15 * MINUTE);
      expect(resolve({ preset, idleTimeout: '12h' }).commonIdleTimeoutMs).toBe(12 * HOUR);
    },
  );

  it.each(['pci-dss', 'PCI-DSS-4', '', null, true])('is none that is not known: %p', (preset) => {
    const error = errorOf(() => resolve({ preset }));
    expect(error.option).toBe('preset');
    expect(error.message).toContain("'pci-dss-4' or 'nist-aal1'");
  });

  it('is none where the option is left out: everything is taken as before', () => {
    const options = { idleTimeout: '30d', absoluteTimeout: false, onStorageError: 'allow' };
    expect(resolve({ preset: undefined, ...options })).toMatchObject({ onStorageError: 'allow' });
  });
});

describe('With a preset, an idle timeout that is a function', () => {
  it.each<[IdleSessionPreset, number, string]>([
    ['pci-dss-4', 15 * MINUTE, '8.2.8'],
    ['nist-aal2', HOUR, '2.2.3'],
    ['nist-aal3', 15 * MINUTE, '2.3.3'],
    ['psd2', 5 * MINUTE, '4(3)(d)'],
    ['stig-asd', 15 * MINUTE, 'V-222389'],
  ])('of %s may return the bound, and one millisecond more is an error', async (preset, ms, at) => {
    const returning = (value: number) => resolve({ preset, idleTimeout: () => value });
    expect(await returning(ms).idleTimeoutFor(request)).toBe(ms);
    const asking = async () => returning(ms + 1).idleTimeoutFor(request);
    const error: unknown = await asking().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(IdleSessionOptionsError);
    expect((error as Error).message).toContain(at);
  });
});

const SECURE_PRESETS = ['nist-aal1', 'nist-aal2', 'nist-aal3', 'stig-asd', 'owasp-asvs-5'];

describe('With a preset, the cookie', () => {
  it.each(SECURE_PRESETS)('of %s is for HTTPS and this host only', (preset) => {
    const { session } = resolve({ preset });
    expect(session.name).toBe('__Host-app-sid');
    expect(session.cookie).toMatchObject({ secure: true, httpOnly: true, path: '/' });
  });

  it.each(['pci-dss-4', 'psd2'])('of %s stays as the module has it', (preset) => {
    const { session } = resolve({ preset });
    expect(session).toMatchObject({ name: 'app-sid', cookie: { secure: 'auto' } });
    const own = { cookie: { secure: false, httpOnly: false, sameSite: false } };
    expect(() => resolve({ preset }, own)).not.toThrow();
  });

  const ofEach = (presets: string[], session: object, option: string, clause: string) =>
    presets.map((preset) => ({ preset, session, option, clause }));
  const nist = ['nist-aal1', 'nist-aal2', 'nist-aal3'];

  it.each([
    ...ofEach(nist, { cookie: { secure: false } }, 'session.cookie.secure', '5.1.1'),
    ...ofEach(nist, { cookie: { secure: 'auto' } }, 'session.cookie.secure', '5.1.1'),
    ...ofEach(nist, { cookie: { httpOnly: false } }, 'session.cookie.httpOnly', '5.1.1'),
    ...ofEach(nist, { cookie: { sameSite: 'none' } }, 'session.cookie.sameSite', '5.1.1'),
    ...ofEach(nist, { cookie: { sameSite: false } }, 'session.cookie.sameSite', '5.1.1'),
    ...ofEach(nist, { persistentCookie: true }, 'session.persistentCookie', '5.1'),
    ...ofEach(nist, { name: '__Secure-sid' }, 'session.name', '5.1.1'),
    ...ofEach(nist, { cookie: { path: '/desk' } }, 'session.name', '5.1.1'),
    ...ofEach(['stig-asd'], { cookie: { secure: false } }, 'session.cookie.secure', 'V-222576'),
    ...ofEach(['stig-asd'], { cookie: { httpOnly: false } }, 'session.cookie.httpOnly', 'V-222575'),
    ...ofEach(['stig-asd'], { persistentCookie: true }, 'session.persistentCookie', 'V-222578'),
    ...ofEach(['owasp-asvs-5'], { cookie: { secure: 'auto' } }, 'session.cookie.secure', '3.3.1'),
    ...ofEach(['owasp-asvs-5'], { name: 'sid' }, 'session.name', '3.3.1'),
    ...ofEach(['owasp-asvs-5'], { cookie: { domain: 'x.example' } }, 'session.name', '3.3.1'),
    ...ofEach(
      ['owasp-asvs-5'],
      { cookie: { httpOnly: false } },
      'session.cookie.httpOnly',
      '3.3.4',
    ),
  ])('of $preset may not be looser: $option', ({ preset, session, option, clause }) => {
    const error = errorOf(() => resolve({ preset }, session));
    expect(error.option).toBe(option);
    expect(error.message).toContain(`, ${clause})`);
  });

  it.each([
    ['nist-aal2', { name: '__Host-sid', cookie: { sameSite: 'strict' } }],
    ['nist-aal2', { cookie: { sameSite: true } }],
    ['stig-asd', { name: 'sid', cookie: { sameSite: 'none' } }],
    ['owasp-asvs-5', { name: '__Secure-sid', cookie: { domain: 'x.example' } }],
    ['owasp-asvs-5', { persistentCookie: true, rolling: true, cookie: { maxAge: 1000 } }],
  ])('of %s may be what no clause forbids: %j', (preset, session) => {
    expect(() => resolve({ preset }, session)).not.toThrow();
  });
});
