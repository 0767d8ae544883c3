import type { CDPSession, Page } from 'playwright-core';
import { DesktopBrowser } from '../../support/desktop-browser.js';
import { until } from '../../support/until.js';
import type { Engine, EngineTab, Key } from './engine.js';

/** Chromium as people have it, which hides tabs and keeps pages. */
export async function launchChromium(): Promise<Engine> {
  const browser = await DesktopBrowser.launch();
  const { context } = browser;
  const known = new Set(context.pages());
  const tabOf = async (page: Page) => {
    known.add(page);
    return new ChromiumTab(page, await context.newCDPSession(page));
  };
  const opened = () => context.pages().findLast((page) => !known.has(page));
  return {
    name: 'Chromium',
    version: context.browser()!.version(),
    openTab: async () => tabOf(await context.newPage()),
    async lastTab() {
      await until('a page has opened one', () => opened() !== undefined);
      return tabOf(opened()!);
    },
    close: () => browser.close(),
  };
}

class ChromiumTab implements EngineTab {
  constructor(
    private readonly page: Page,
    private readonly devtools: CDPSession,
  ) {}

  async go(url: string): Promise<void> {
    await this.page.goto(url);
  }

  /** Not with Playwright's own, which passes for a person's doing. */
  evaluate(expression: string): Promise<unknown> {
    return this.run(expression, false);
  }

  evaluateAsPerson(expression: string): Promise<unknown> {
    return this.run(expression, true);
  }

  private async run(expression: string, userGesture: boolean): Promise<unknown> {
    const { result, exceptionDetails } = await this.devtools.send('Runtime.evaluate', {
      expression,
      userGesture,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return result.value;
  }

  press(key: Key | (string & {})): Promise<void> {
    return this.page.keyboard.press(key === ' ' ? 'Space' : key);
  }

  moveTo(x: number, y: number): Promise<void> {
    return this.page.mouse.move(x, y);
  }

  click(x: number, y: number): Promise<void> {
    return this.page.mouse.click(x, y);
  }

  async pressMouse(x: number, y: number): Promise<void> {
    await this.page.mouse.move(x, y);
    await this.page.mouse.down();
  }

  releaseMouse(): Promise<void> {
    return this.page.mouse.up();
  }

  async turnWheel(x: number, y: number, byY: number): Promise<void> {
    await this.page.mouse.move(x, y);
    await this.page.mouse.wheel(0, byY);
  }

  async picture(): Promise<string> {
    return (await this.devtools.send('Page.captureScreenshot')).data;
  }

  close(): Promise<void> {
    return this.page.close();
  }
}
