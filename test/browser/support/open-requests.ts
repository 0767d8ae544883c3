import { setTimeout as delay } from 'node:timers/promises';
import type { BrowserContext, Request } from 'playwright-core';

/** The requests of a browser context that are not answered yet. */
export class OpenRequests {
  private readonly open = new Set<Request>();
  /** How many of them a test holds back. */
  private heldBack = 0;

  constructor(context: BrowserContext) {
    context.on('request', (request) => {
      // A stream is not answered to its end.
      if (request.resourceType() !== 'eventsource') this.open.add(request);
    });
    context.on('response', (response) => {
      // What it says may go unread, and it would never finish. What a page reads, the page counts itself.
      if (response.request().resourceType() === 'fetch') this.open.delete(response.request());
    });
    context.on('requestfinished', (request) => this.open.delete(request));
    context.on('requestfailed', (request) => this.open.delete(request));
  }

  /** Whether a page waits for an answer that no test holds back. */
  get areAwaited(): boolean {
    return this.open.size > this.heldBack;
  }

  /**
   * Waits until all are answered and nothing else is unfinished, and for no more looks than that: a test may hold one
   * back. While a process stands still, no look is done.
   */
  async settled(isUnfinished: () => Promise<boolean>, looks: number): Promise<void> {
    for (let left = looks; left > 0; left--) {
      await delay(30);
      const isBusy = await isUnfinished();
      if (this.open.size === 0 && !isBusy) break;
    }
    this.heldBack = this.open.size;
  }
}
