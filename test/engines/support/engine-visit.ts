import type { EngineDesk } from './engine-desk.js';
import type { Engine } from './engine.js';
import { STATE, Tab } from './tab.js';

/** Somebody signed in, with the tabs that they have open. */
export class EngineVisit {
  private readonly tabs: Tab[] = [];

  /** @param cookie the `Cookie` header that is theirs */
  constructor(
    private readonly desk: EngineDesk,
    private readonly engine: Engine,
    private readonly cookie: string,
    private readonly origin: string,
  ) {}

  /** The first. */
  get tab(): Tab {
    return this.tabs[0]!;
  }

  /** Opens the first tab, where the browser gets the cookie. */
  async enter(path: string): Promise<void> {
    const query = new URLSearchParams({ cookie: this.cookie, path });
    await this.openTab(`/enter?${query}`);
  }

  /** One more, in front of the others, with a page that the client is in. */
  async openTab(path: string): Promise<Tab> {
    const tab = await this.openEmptyTab();
    await tab.open(path);
    return tab;
  }

  async openEmptyTab(): Promise<Tab> {
    const tab = new Tab(await this.engine.openTab(), this.origin);
    this.tabs.push(tab);
    return tab;
  }

  /** The tab that a page has opened last. */
  async lastTab(): Promise<Tab> {
    const tab = new Tab(await this.engine.lastTab(), this.origin);
    this.tabs.push(tab);
    return tab;
  }

  /** To the server it is so much later at once, and to the page of a tab as soon as it has asked. */
  async later(milliseconds: number, tab = this.tab): Promise<void> {
    // Of activity that the page told only afterwards, the server would take it that it came after the leap.
    await tab.check();
    await tab.isHeard();
    const before = await tab.tell<number>(`${STATE}.expiresAt`);
    this.desk.leap(milliseconds);
    await tab.checkUntil(
      'the page knows how late it is',
      `${STATE}.expiresAt < ${before - milliseconds / 2}`,
    );
  }

  /** Does something with the same session, from elsewhere. */
  actElsewhere(): Promise<void> {
    return this.desk.act(this.cookie);
  }

  expiresInMs(): Promise<number> {
    return this.desk.expiresInMs(this.cookie);
  }

  /** Ends the session elsewhere. */
  revoke(): Promise<void> {
    return this.desk.revoke(this.cookie);
  }

  /** The last first, since it may have been opened by another. */
  async close(): Promise<void> {
    for (const tab of this.tabs.toReversed()) await tab.close();
  }
}
