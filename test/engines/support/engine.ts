/** Keys by their names; any other is the character that it types. */
export type Key = 'Enter' | 'Escape' | 'PageDown' | 'Shift' | 'Tab';

/** A tab of a browser: the little that the drivers of all engines can do. */
export interface EngineTab {
  /** Opens a page, and waits until it has loaded. */
  go(url: string): Promise<void>;
  /** What a promise or another expression in the page comes to, if JSON can tell it. */
  evaluate(expression: string): Promise<unknown>;
  /** The same, with the activation that a browser gives to what a person does; not all drivers can. */
  evaluateAsPerson?(expression: string): Promise<unknown>;
  /** Presses a key as a person does, and lets it go. */
  press(key: Key | (string & {})): Promise<void>;
  /** Moves the mouse there, in CSS pixels of the window. */
  moveTo(x: number, y: number): Promise<void>;
  click(x: number, y: number): Promise<void>;
  /** Moves the mouse there, and presses its button. */
  pressMouse(x: number, y: number): Promise<void>;
  releaseMouse(): Promise<void>;
  turnWheel(x: number, y: number, byY: number): Promise<void>;
  /** What there is to see in the window, as an image in base64. */
  picture(): Promise<string>;
  close(): Promise<void>;
}

/** A running browser. */
export interface Engine {
  /** As the documents name it. */
  readonly name: string;
  /** Of the browser, such as `153.8`. */
  readonly version: string;
  /** A new tab, in front of the others. */
  openTab(): Promise<EngineTab>;
  /** The one that a page has opened last. */
  lastTab(): Promise<EngineTab>;
  close(): Promise<void>;
}
