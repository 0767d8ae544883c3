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
    context.on('requestfinished', (request) => this.open.delete(request));
    context.on('requestfailed', (request) => this.open.delete(request));
  }

  /** Whether a page waits for an answer that no test holds back. */
  get areAwaited(): boolean {
    return this.open.size > this.heldBack;
  }

  /** Waits until all are answered and nothing else is unfinished, and not for longer than that: a test may hold one back. */
  async settled(isUnfinished: () => Promise<boolean>, patienceMs: number): Promise<void> {
    const until = Date.now() + patienceMs;
    do await delay(30);
    while ((this.open.size > 0 || (await isUnfinished())) && Date.now() < until);
    this.heldBack = this.open.size;
  }
}
