import { durationInWords } from '../utils/duration-in-words.js';
import { parseDuration, type Duration } from '../utils/duration.js';

/** A standard whose limits the module holds: option `preset`. */
export type IdleSessionPreset =
  'pci-dss-4' | 'nist-aal1' | 'nist-aal2' | 'nist-aal3' | 'psd2' | 'stig-asd' | 'owasp-asvs-5';

/** What a preset takes for one option. */
export interface PresetRule<T = unknown> {
  /** Where the standard asks for it. */
  readonly clause: string;
  readonly takes: string;
  readonly accepts: (value: unknown) => boolean;
  /** What the option is where it is left out; without it, the module's own default, which the rule accepts. */
  readonly initial?: T;
}

/** By option, dotted where nested. What no clause bears on is not there. */
export interface PresetRules {
  readonly idleTimeout?: PresetRule<Duration>;
  /** An idle timeout that is one value for everybody, and so for administrators, too. */
  readonly commonIdleTimeout?: PresetRule<Duration>;
  readonly absoluteTimeout?: PresetRule<Duration>;
  /** Of a clause that takes a lock in place of the idle timeout. */
  readonly lockAfter?: PresetRule<Duration>;
  readonly onStorageError?: PresetRule<'reject'>;
  readonly 'session.name'?: PresetRule<string>;
  readonly 'session.persistentCookie'?: PresetRule<false>;
  readonly 'session.cookie.secure'?: PresetRule<true>;
  readonly 'session.cookie.httpOnly'?: PresetRule<true>;
  readonly 'session.cookie.sameSite'?: PresetRule<'lax' | 'strict' | true>;
}

function atMost(initial: Duration, clause: string): PresetRule<Duration> {
  const limitMs = parseDuration(initial)!;
  return {
    clause,
    initial,
    takes: `at most ${durationInWords(limitMs)}`,
    accepts: (value) => (parseDuration(value) ?? Infinity) <= limitMs,
  };
}

const unlessFunction = <T>(rule: PresetRule<T>): PresetRule<T> => ({
  ...rule,
  takes: `${rule.takes}, or a function that decides for administrators,`,
});

/** Of a clause that takes a lock after as long, too. */
function orLocked(rule: PresetRule<Duration>): Pick<PresetRules, 'idleTimeout' | 'lockAfter'> {
  const { initial: _, ...lockAfter } = rule;
  const takes = `${rule.takes} (more beside a lockAfter of ${rule.takes})`;
  return { idleTimeout: { ...rule, takes }, lockAfter };
}

/** Of a clause that asks for a limit and names no figure. */
const anyLimit = (clause: string): PresetRule<Duration> => ({
  clause,
  takes: 'a duration',
  accepts: (value) => value !== false,
});

const quoted = (value: unknown) => (typeof value === 'string' ? `'${value}'` : String(value));

const only = <T>(clause: string, initial: T, ...others: T[]): PresetRule<T> => ({
  clause,
  initial,
  takes: [initial, ...others].map(quoted).join(' or '),
  accepts: (value) => [initial, ...others].some((taken) => taken === value),
});

const prefixed = (clause: string, ...prefixes: string[]): PresetRule<string> => ({
  clause,
  takes: `a name that begins with ${prefixes.join(' or ')}`,
  accepts: (value) => prefixes.some((prefix) => String(value).startsWith(prefix)),
});

const NIST = 'NIST SP 800-63B-4';
const ASVS = 'OWASP ASVS 5.0';
const STIG = 'DISA ASD STIG';

/** The same at each assurance level. */
const NIST_SESSIONS = {
  onStorageError: only(`${NIST}, 5.1`, 'reject'),
  'session.persistentCookie': only(`${NIST}, 5.1`, false),
  'session.cookie.secure': only(`${NIST}, 5.1.1`, true),
  'session.cookie.httpOnly': only(`${NIST}, 5.1.1`, true),
  'session.cookie.sameSite': only<'lax' | 'strict' | true>(`${NIST}, 5.1.1`, 'lax', 'strict', true),
  // After `secure`, which the module's name for the cookie follows: an error names the cause.
  'session.name': prefixed(`${NIST}, 5.1.1`, '__Host-'),
} as const satisfies PresetRules;

/** The figures and their sources: docs/compliance.md. A "should" of a standard is held as a "shall" is. */
export const PRESETS: Readonly<Record<IdleSessionPreset, PresetRules>> = {
  'pci-dss-4': {
    ...orLocked(atMost('15m', 'PCI DSS 4.0.1, 8.2.8')),
    onStorageError: only('PCI DSS 4.0.1, 8.2.8', 'reject'),
  },
  'nist-aal1': {
    ...NIST_SESSIONS,
    absoluteTimeout: atMost('30d', `${NIST}, 2.1.3`),
  },
  'nist-aal2': {
    ...NIST_SESSIONS,
    idleTimeout: atMost('1h', `${NIST}, 2.2.3`),
    absoluteTimeout: atMost('24h', `${NIST}, 2.2.3`),
  },
  'nist-aal3': {
    ...NIST_SESSIONS,
    idleTimeout: atMost('15m', `${NIST}, 2.3.3`),
    absoluteTimeout: atMost('12h', `${NIST}, 2.3.3`),
  },
  psd2: {
    idleTimeout: atMost('5m', 'Reg. (EU) 2018/389, 4(3)(d)'),
    onStorageError: only('Reg. (EU) 2018/389, 4(3)(d)', 'reject'),
  },
  'stig-asd': {
    idleTimeout: atMost('15m', `${STIG}, V-222389`),
    commonIdleTimeout: unlessFunction(atMost('10m', `${STIG}, V-222390`)),
    onStorageError: only(`${STIG}, V-222585`, 'reject'),
    'session.persistentCookie': only(`${STIG}, V-222578`, false),
    'session.cookie.secure': only(`${STIG}, V-222576`, true),
    'session.cookie.httpOnly': only(`${STIG}, V-222575`, true),
  },
  'owasp-asvs-5': {
    idleTimeout: anyLimit(`${ASVS}, 7.3.1`),
    absoluteTimeout: anyLimit(`${ASVS}, 7.3.2`),
    onStorageError: only(`${ASVS}, 16.5.3`, 'reject'),
    'session.cookie.secure': only(`${ASVS}, 3.3.1`, true),
    'session.cookie.httpOnly': only(`${ASVS}, 3.3.4`, true),
    'session.name': prefixed(`${ASVS}, 3.3.1`, '__Host-', '__Secure-'),
  },
};
