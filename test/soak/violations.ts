/** Of each kind of violation, how many are told with their history. */
const HISTORIES_TOLD = 3;

/** What was wrong, as it is reported. */
export class Violations {
  readonly told: string[] = [];

  /** @param history of the person it happened to, line by line */
  add(wrong: string, history: readonly string[]): void {
    const before = this.told.filter((violation) => violation.includes(wrong)).length;
    const told = `${(performance.now() / 1000).toFixed(3)} ${wrong}`;
    this.told.push(before < HISTORIES_TOLD ? [told, ...history].join('\n  ') : told);
  }
}
