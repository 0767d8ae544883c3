/** The texts of the dialog in one language. The name of a text is also that of the attribute and the slot that replace it. */
export interface Words {
  readonly heading: string;
  /** With `{time}`. */
  readonly text: string;
  /** Beside it when the absolute limit is near, which nothing moves. */
  readonly fixed: string;
  /** With `{time}`. Short: in the title of the document, and in a corner of the page once `fixed` has been read. */
  readonly left: string;
  readonly stay: string;
  readonly continue: string;
  readonly 'sign-out': string;
  readonly unreachable: string;
  /** When an attempt to stay or to sign out did not reach the server. It names the next step. */
  readonly failed: string;
  readonly locked: string;
  /** Leads to the page that unlocks, where there is no form in the slot `unlock`. */
  readonly 'unlock-page': string;
  readonly kept: string;
  readonly retry: string;
  readonly ended: string;
  readonly 'signed-out': string;
  /** What comes after a number of minutes or seconds, in a language whose numbers browsers do not have. */
  readonly unit?: (count: number, unit: 'minute' | 'second') => string;
}

export type TextKey = Exclude<keyof Words, 'unit'>;
