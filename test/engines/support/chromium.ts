import type { CDPSession, Page } from 'playwright-core';
import { DesktopBrowser } from '../../support/desktop-browser.js';
import type { Engine, EngineTab, Key } from './engine.js';

/** Chromium as people have it, which hides tabs and keeps pages. */
export async function launchChromium(): Promise<Engine> {
  const browser = await DesktopBrowser.launch();
  const { context } = browser;
  return {
    name: 'Chromium',
    version: context.browser()!.version(),
    async openTab() {
      const page = await context.newPage();
      return new ChromiumTab(page, await context.newCDPSession(page));
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
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.devtools.send('Runtime.evaluate', {
      expression,
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
