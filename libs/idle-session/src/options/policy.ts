import { durationInWords } from '../utils/duration-in-words.js';
import type { IdleSessionModuleOptions } from './idle-session.options.js';
import { optionAt, rulesOf, type ValuesInForce } from './preset-rules.js';
import type { IdleSessionPreset, PresetRule, PresetRules } from './presets.js';

/** One option that limits sessions, as it is in force. */
export interface PolicyLimit {
  /** As in `forRoot()`, dotted where nested. */
  readonly option: string;
  /** A duration in milliseconds, or the value; null where a function of the app decides. */
  readonly value: number | string | boolean | null;
  /** What it does to sessions. */
  readonly words: string;
  /** Who set it: the preset, the app, or the module where neither did. */
  readonly source: 'preset' | 'option' | 'default';
  /** The clause behind it: of the preset, and of WCAG for `warnBefore`; null: there is none. */
  readonly clause: string | null;
}

/** What is in force for sessions, for auditors and for pages about the app. */
export interface IdleSessionPolicy {
  readonly preset: IdleSessionPreset | null;
  /** The limits in one sentence, as the log has it at start. */
  readonly summary: string;
  readonly limits: readonly PolicyLimit[];
}

/** What holds for an option, in words. An option that is added here is in the policy. */
const WORDS: { readonly [K in keyof ValuesInForce]: (value: ValuesInForce[K]) => string } = {
  idleTimeout: (ms) =>
    ms === null
      ? 'without activity, sessions end after the time that a function returns for each request'
      : `sessions end after ${durationInWords(ms)} without activity`,
  absoluteTimeout: (ms) => {
    if (ms === null) return 'sessions end after the time that a function returned at sign-in';
    if (ms === false) return 'sessions of active people have no end';
    return `sessions end ${durationInWords(ms)} after sign-in at the latest`;
  },
  lockAfter: (ms) => {
    if (ms === null)
      return 'without activity, sessions are locked after the time that a function returned at sign-in';
    if (ms === false) return 'sessions are not locked';
    return `sessions are locked after ${durationInWords(ms)} without activity`;
  },
  warnBefore: (ms) => {
    if (ms === null)
      return 'people are warned a third of the idle timeout before, at most 2 minutes';
    return ms === false ? 'nobody is warned' : `people are warned ${durationInWords(ms)} before`;
  },
  onStorageError: (value) =>
    `requests ${value === 'reject' ? 'are refused' : 'go unchecked'} while the activity storage is away`,
  'session.name': (name) => `the cookie is named ${name}`,
  'session.persistentCookie': (persistent) => {
    if (persistent === 'per-session') return 'the app decides which cookies outlive the browser';
    return persistent ? 'the cookie may outlive the browser' : 'the cookie ends with the browser';
  },
  'session.cookie.secure': (isSecure) => {
    if (isSecure === 'auto') return 'the cookie is for HTTPS only, if it was set over HTTPS';
    return isSecure ? 'the cookie is for HTTPS only' : 'the cookie is sent over HTTP, too';
  },
  'session.cookie.httpOnly': (isHttpOnly) =>
    isHttpOnly ? 'scripts cannot read the cookie' : 'scripts can read the cookie',
  'session.cookie.sameSite': (sameSite) => `the cookie is SameSite: ${sameSite}`,
};

const WARNING_CLAUSE = 'WCAG 2.2, 2.2.1';

/** @param given the options as the app wrote them */
export function policyOf(
  given: IdleSessionModuleOptions,
  values: ValuesInForce,
): IdleSessionPolicy {
  const rules = rulesOf(given);
  const options = Object.keys(WORDS) as (keyof ValuesInForce)[];
  const limits = options.map((option) => limitOf(option, optionAt(given, option), values, rules));
  const { preset = null } = given;
  return { preset, summary: summaryOf(preset, limits), limits };
}

function limitOf<K extends keyof ValuesInForce>(
  option: K,
  own: unknown,
  values: ValuesInForce,
  rules: PresetRules,
): PolicyLimit {
  const value = values[option];
  const rule = ruleFor(option, value, rules);
  const presets = rule?.initial === undefined ? 'default' : 'preset';
  const bound = value === null && rule?.initial !== undefined ? `, ${rule.takes}` : '';
  return {
    option,
    value,
    words: WORDS[option](value) + bound,
    source: own === undefined ? presets : 'option',
    clause: option === 'warnBefore' ? WARNING_CLAUSE : (rule?.clause ?? null),
  };
}

/** Some presets have a rule of their own for an idle timeout that is one for everybody. */
function ruleFor(
  option: keyof ValuesInForce,
  value: unknown,
  rules: PresetRules,
): PresetRule | undefined {
  if (option === 'warnBefore') return undefined;
  const common = option === 'idleTimeout' && value !== null ? rules.commonIdleTimeout : undefined;
  return common ?? rules[option];
}

/** The cookie is left out, since the sentence is about time; and a lock that there is not. */
function summaryOf(preset: IdleSessionPreset | null, limits: readonly PolicyLimit[]): string {
  const parts = limits
    .filter(({ option }) => !option.startsWith('session.'))
    .filter(({ option, value }) => option !== 'lockAfter' || value !== false)
    .map(({ words, source, clause }) => `${words} (${clause ? `${source}; ${clause}` : source})`);
  return `${preset === null ? 'No preset' : `Preset '${preset}'`}: ${parts.join('; ')}.`;
}
