import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { until } from '../../support/until.js';
import type { Given } from '../support/given.js';
import type { Tab } from '../support/tab.js';

const PAGE = new URL('../../../docs/browser-client.md', import.meta.url);

/** Runs in the page. */
const SHOWS_STATUS = `'responseStatus' in PerformanceResourceTiming.prototype`;
const SHOWS_SERVER_TIMING = `'serverTiming' in PerformanceResourceTiming.prototype`;

/** Resolves once the page can know of the response all that it will. */
const askSomethingElse = (tab: Tab) =>
  tab.tell(`new Promise((resolve) => {
    new PerformanceObserver(() => setTimeout(resolve, 100)).observe({ type: 'resource' });
    void fetch('/refused').then((response) => response.text());
  })`);

export function isLimited(given: Given): void {
  describe('What the browser does not show a page', () => {
    it('is what the table in the documents says, and a page asks after a 401 of a proxy only if it sees the status', async () => {
      const { tab } = await given.visit();
      const showsStatus = await tab.tell<boolean>(SHOWS_STATUS);
      const insecure = await given.visit('/kept', given.desk.insecureUrl);
      const limits = [
        showsStatus ? '' : '`responseStatus`',
        (await insecure.tab.tell(SHOWS_SERVER_TIMING)) ? '' : '`serverTiming` without https',
      ];
      const { name, version } = given.engine;
      const row = new RegExp(`^\\| ${name} +\\| [a-zA-Z ]*([\\d.]+) +\\| (.*?) +\\|$`, 'm');
      const [, tried, documented] = row.exec(readFileSync(PAGE, 'utf8')) ?? [];
      expect(documented).toBe(limits.filter(Boolean).join(', ') || 'nothing');
      expect(version.localeCompare(tried!, 'en', { numeric: true })).toBeGreaterThanOrEqual(0);

      const before = given.desk.requests.length;
      const asked = () => given.desk.requests.slice(before).includes('GET /idle-session/status');
      await askSomethingElse(tab);
      if (showsStatus) await until('it asks', asked);
      else expect(asked()).toBe(false);
    });
  });
}
