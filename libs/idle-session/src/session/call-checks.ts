import { kindOf } from '../utils/option-error.js';
import type { DeliberateEndReason } from './request-session.js';

/**
 * Holds a name that an app gave to a method of `IdleSessionService`, of an owner or of who ended a session.
 * @throws {TypeError} for what is no string, or empty; for undefined only if it is required
 */
export function checkName(method: string, name: string, value: unknown, isRequired = false): void {
  if (value === undefined ? !isRequired : typeof value === 'string' && value !== '') return;
  throw new TypeError(
    `IdleSessionService.${method}() got ${name} ${kindOf(value)}; it takes a name, a string that is not empty.`,
  );
}

/** Holds the reason that an app gave for an end. @throws {TypeError} for one that apps do not decide */
export function checkReason(method: string, reason: DeliberateEndReason): void {
  if (reason === 'signed-out' || reason === 'revoked') return;
  throw new TypeError(
    `IdleSessionService.${method}() got reason ${String(reason)}; it takes 'signed-out' or 'revoked'.`,
  );
}
