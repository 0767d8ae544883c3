import { IdleSessionOptionsError, valueOf } from '../utils/option-error.js';
import type { IdleSessionModuleOptions } from './idle-session.options.js';
import { PRESETS, type PresetRules } from './presets.js';

type Options = IdleSessionModuleOptions;

/** What decides which rules hold. */
export type PresetOptions = Pick<Options, 'preset' | 'idleTimeout' | 'lockAfter'>;

/** By option, dotted where nested: a duration in milliseconds, or the value; null where a function of the app decides. */
export interface ValuesInForce {
  readonly idleTimeout: number | null;
  readonly absoluteTimeout: number | false | null;
  readonly lockAfter: number | false | null;
  /** Null also where it follows an idle timeout that a function decides. */
  readonly warnBefore: number | false | null;
  readonly onStorageError: 'reject' | 'allow';
  readonly 'session.name': string;
  readonly 'session.persistentCookie': boolean | 'per-session';
  readonly 'session.cookie.secure': boolean | 'auto';
  readonly 'session.cookie.httpOnly': boolean;
  readonly 'session.cookie.sameSite': boolean | string;
}

/** What the preset asks of these options. Where a lock will do in place of an idle timeout, one of the two is held. */
export function rulesOf({ preset, idleTimeout, lockAfter = false }: PresetOptions): PresetRules {
  if (preset === undefined) return {};
  const { lockAfter: lock, ...rules } = PRESETS[preset];
  const isIdleHeld = idleTimeout === undefined || rules.idleTimeout?.accepts(idleTimeout);
  if (!lock || isIdleHeld || lockAfter === false) return rules;
  const { idleTimeout: _, ...others } = rules;
  return { ...others, lockAfter: lock };
}

/** The options, with the preset's values where they leave out what the module by itself would set otherwise. */
export function withPreset(options: Options): Options {
  const rules = rulesOf(options);
  const { session } = options;
  const idleTimeout = (rules.commonIdleTimeout ?? rules.idleTimeout)?.initial;
  const secure = session.cookie?.secure ?? rules['session.cookie.secure']?.initial;
  return {
    ...options,
    idleTimeout: options.idleTimeout ?? idleTimeout,
    absoluteTimeout: options.absoluteTimeout ?? rules.absoluteTimeout?.initial,
    session: { ...session, cookie: { ...session.cookie, secure } },
  };
}

/**
 * What a function decides is held against {@link checkPresetRule} when it answers.
 * @param given as the app wrote them, for the error
 * @throws {IdleSessionOptionsError} for the first value that is looser than a clause of the preset allows
 */
export function checkPreset(given: Options, values: ValuesInForce): void {
  const ofEverybody = { ...values, commonIdleTimeout: values.idleTimeout };
  for (const name of Object.keys(rulesOf(given)) as (keyof PresetRules)[]) {
    const value = ofEverybody[name];
    if (value !== null) checkPresetRule(given, name, value, optionAt(given, optionOf(name)));
  }
}

/**
 * @param got what the app wrote, if it is not the value itself
 * @throws {IdleSessionOptionsError} naming the option, what it got, what it takes and the clause
 */
export function checkPresetRule(
  options: PresetOptions,
  name: keyof PresetRules,
  value: unknown,
  got = value,
): void {
  const rule = rulesOf(options)[name];
  if (rule === undefined || rule.accepts(value)) return;
  const takes = `${rule.takes} with preset '${options.preset}' (${rule.clause})`;
  throw new IdleSessionOptionsError(optionOf(name), got, takes, valueOf(got));
}

/** The option that a rule is about. */
const optionOf = (name: keyof PresetRules) => (name === 'commonIdleTimeout' ? 'idleTimeout' : name);

/** What the app wrote for an option. @param name dotted where nested */
export function optionAt(options: Options, name: string): unknown {
  return name
    .split('.')
    .reduce<unknown>(
      (value, key) => (value as Record<string, unknown> | undefined)?.[key],
      options,
    );
}
