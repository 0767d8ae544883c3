import { inspect } from 'node:util';

/** A wrong option: names it, what it got and what it takes. Thrown at start, so a wrong set-up never serves anybody. */
export class IdleSessionOptionsError extends Error {
  override readonly name = 'IdleSessionOptionsError';

  /**
   * @param option the option's name, as in `forRoot()`, dotted where nested
   * @param got the value it got
   * @param takes what it takes, completing "takes …"
   * @param description said in place of the value, where that is nothing to print
   */
  constructor(
    readonly option: string,
    got: unknown,
    takes: string,
    description = inspect(got, { depth: 0 }),
  ) {
    super(`Option "${option}" got ${description}; it takes ${takes}.`);
  }
}
