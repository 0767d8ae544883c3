/** A wrong option: names it, what it got and what it takes. Thrown at start, so a wrong set-up never serves anybody. */
export class IdleSessionOptionsError extends Error {
  override readonly name = 'IdleSessionOptionsError';

  /**
   * @param option the option's name, as in `forRoot()`, dotted where nested
   * @param got the value it got
   * @param takes what it takes, completing "takes …"
   * @param description said of the value; default: its kind, since a value may hold a secret
   */
  constructor(
    readonly option: string,
    got: unknown,
    takes: string,
    description = kindOf(got),
  ) {
    super(`Option "${option}" got ${description}; it takes ${takes}.`);
  }
}

/** Holds the names of options against those that there are. @throws {IdleSessionOptionsError} for the first unknown one */
export function checkNames(options: object, names: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new IdleSessionOptionsError(unknown, undefined, insteadOfUnknown(names), 'a value');
}

/** What to write where there is no such option. */
export function insteadOfUnknown(names: readonly string[]): string {
  return `nothing: there is no such option, only ${names.join(', ')}`;
}

/** What a harmless value looks like: a duration, a name, a path; no URL with a password in it. */
const HARMLESS = /^[\w ./\\:+*-]{0,40}$/;

/** Of an option that takes no secret, the value; only its kind if it looks as if it held one in spite of that. */
export function valueOf(value: unknown): string {
  if (typeof value === 'string' && HARMLESS.test(value)) return `'${value}'`;
  return typeof value === 'number' ? String(value) : kindOf(value);
}

/** What may be said of any value: nothing of what is in it. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return `a string of ${value.length} characters`;
  if (Array.isArray(value)) return `[${value.map(kindOf).join(', ')}]`;
  if (typeof value !== 'object') return `a ${typeof value}`;
  const { constructor } = (Object.getPrototypeOf(value) ?? {}) as { constructor?: Function };
  return !constructor || constructor === Object ? 'an object' : `an object (${constructor.name})`;
}
