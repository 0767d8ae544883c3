import { PATIENCE_MS } from '../../support/durations.js';
import { until } from '../../support/until.js';
import type { EngineTab, Key } from './engine.js';
import { everyThreeSeconds } from './every-three-seconds.js';

const HOST = `document.querySelector('idle-session-dialog')`;
const DIALOG = `${HOST}?.shadowRoot.querySelector('dialog')`;
const BACKDROP = `getComputedStyle(${DIALOG}, '::backdrop').backgroundColor`;
const IS_OPEN = `(${DIALOG}?.open ?? false)`;
/** Comes to true once the page has drawn what the last input has changed. */
const DRAWN = `new Promise((resolve) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(true), 100))))`;

/** Expressions for elements of a page. */
export const dialogPart = (id: string) => `${DIALOG}.querySelector('#${id}')`;
export const stay = dialogPart('stay');
export const signOut = dialogPart('sign-out');
export const element = (selector: string) => `document.querySelector(${JSON.stringify(selector)})`;
export const button = (text: string) =>
  `Array.from(document.querySelectorAll('button')).find(
    (button) => button.textContent.trim() === ${JSON.stringify(text)})`;

/** Expressions for the page's session, and for its state. */
export const SESSION = `${HOST}.session`;
export const STATE = `${SESSION}.getState()`;

/** A tab with a page of the sample app. */
export class Tab {
  constructor(
    private readonly tab: EngineTab,
    private readonly origin: string,
  ) {}

  /** Opens a page, and waits until it knows its session, and is drawn: before, a browser may lose what a person does. */
  async open(path: string): Promise<void> {
    await this.leaveFor(path);
    await this.waitFor('the page knows its session', `${STATE}.state !== 'starting'`);
    await this.isDrawn();
  }

  /** Opens a page that the client is not in. */
  async leaveFor(path: string): Promise<void> {
    await this.tab.go(this.origin + path);
  }

  /** Goes back to the page before. */
  async back(): Promise<void> {
    // After the answer to this, which the page could not give any more.
    await this.tell('void setTimeout(() => history.back())');
  }

  async tell<T>(expression: string): Promise<T> {
    return (await this.tab.evaluate(expression)) as T;
  }

  /** Has a script do what assistive technology does: no key and no button is pressed for it. */
  async doAsPerson(expression: string): Promise<void> {
    await this.tab.evaluateAsPerson!(`void ${expression}`);
  }

  /** Waits until an expression is true; a page that is being left cannot say so yet. */
  async waitFor(what: string, expression: string): Promise<number> {
    let last: unknown;
    const ask = async () => {
      last = await this.tab.evaluate(expression).catch((error: Error) => error.message);
      return last === true;
    };
    return await until(what, ask).catch(async (error: Error) => {
      const place = await this.address().catch(() => 'an unknown page');
      throw new Error(`${error.message}, on ${place}: ${String(last)}`);
    });
  }

  /** Waits until the page has drawn what the last input has changed; in vain in a tab behind another. */
  async isDrawn(): Promise<void> {
    await this.tell(DRAWN);
  }

  /** The address without its origin. */
  address(): Promise<string> {
    return this.tell('location.pathname + location.search');
  }

  async arrivesAt(address: string): Promise<void> {
    const isThere = `location.pathname + location.search === ${JSON.stringify(address)}`;
    await this.waitFor(
      `it arrives at ${address}`,
      `${isThere} && document.readyState === 'complete'`,
    );
  }

  /** Has the page ask the server where its session stands, and tell it of activity that it does not know yet. */
  async check(): Promise<void> {
    await this.tell(`void ${SESSION}.check()`);
  }

  /** Waits for an answer to the page: by then the server has handled what the page sent before. */
  async isHeard(): Promise<void> {
    await this.tell(`fetch('/other').then((response) => response.text()).then(() => true)`);
  }

  /** To the page alone it is so much later at once, as after a sleep of the machine. */
  async sleep(milliseconds: number): Promise<void> {
    await this.tell(`void (() => {
      for (const clock of [Date, performance]) {
        const now = clock.now.bind(clock);
        clock.now = () => now() + ${milliseconds};
      }
    })()`);
  }

  /** Waits until an answer has made an expression true; asks again where an older response came between. */
  async checkUntil(what: string, expression: string): Promise<void> {
    let times = 0;
    await until(what, async () => {
      if (times++ % 25 === 0) await this.check();
      return await this.tell<boolean>(expression);
    });
  }

  /** Does something that counts, and waits until the page has told the server. */
  async act(what: string, act: () => Promise<void>, expression: string): Promise<void> {
    // By the page's own timer: for a moment after an activity no other counts.
    await this.tell('new Promise((resolve) => setTimeout(resolve, 300))');
    const actAgain = everyThreeSeconds(act);
    let times = 0;
    const isTold = async () => {
      await actAgain();
      if (times++ % 25 === 0) await this.check();
      return await this.tell<boolean>(expression);
    };
    await until(`the page tells of ${what}`, isTold, PATIENCE_MS);
  }

  async warns(): Promise<void> {
    await this.waitFor('it warns', `${IS_OPEN} && !${BACKDROP}.startsWith('rgb(')`);
  }

  /** Waits until all of the page is hidden from sight. */
  async isCovered(): Promise<void> {
    await this.waitFor('it is covered', `${IS_OPEN} && ${BACKDROP}.startsWith('rgb(')`);
  }

  /** Waits until nothing of the dialog shows. */
  async isFree(): Promise<void> {
    await this.waitFor('the dialog is closed', `!${IS_OPEN}`);
  }

  /** Whether the dialog shows. */
  isOpen(): Promise<boolean> {
    return this.tell(IS_OPEN);
  }

  /** Clicks in the middle of an element. */
  async click(target: string): Promise<void> {
    const [x, y] = await this.tell<[number, number]>(`(() => {
      const target = ${target};
      target.scrollIntoView({ block: 'center', behavior: 'instant' });
      const { x, y, width, height } = target.getBoundingClientRect();
      return [x + width / 2, y + height / 2];
    })()`);
    await this.tab.click(x, y);
  }

  /** Presses a button by the keyboard, wherever it is drawn. */
  async pressButton(target: string): Promise<void> {
    await this.tell(`void ${target}.focus()`);
    await this.tab.press('Enter');
  }

  /** Clicks into a field, and types. */
  async type(field: string, text: string): Promise<void> {
    await this.click(field);
    for (const character of text) await this.tab.press(character);
  }

  press(key: Key | (string & {})): Promise<void> {
    return this.tab.press(key);
  }

  async moveMouse(): Promise<void> {
    for (const at of [100, 120, 140]) await this.tab.moveTo(at, at);
  }

  pressMouse(): Promise<void> {
    return this.tab.pressMouse(80, 80);
  }

  releaseMouse(): Promise<void> {
    return this.tab.releaseMouse();
  }

  turnWheel(): Promise<void> {
    return this.tab.turnWheel(200, 300, 120);
  }

  /** What there is to see. */
  picture(): Promise<string> {
    return this.tab.picture();
  }

  /** What there is to see once that is something else, and changes no more: browsers draw later than pages know. */
  async stillPicture(other: string): Promise<string> {
    let picture = other;
    await until('something else is drawn', async () => {
      const last = picture;
      picture = await this.picture();
      return picture === last && picture !== other;
    });
    return picture;
  }

  close(): Promise<void> {
    return this.tab.close();
  }
}
