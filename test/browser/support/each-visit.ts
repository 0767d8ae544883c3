import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import type { Page } from 'playwright-core';
import { MINUTE, SECOND } from '../../support/durations.js';
import { until } from '../../support/until.js';
import { dialog, type Visit, WatchedDesk } from './watched-desk.js';

/** What a test works with. */
export interface Given {
  readonly desk: WatchedDesk;
  readonly visit: Visit;
  readonly page: Page;
}

/** One desk for all tests of a file, and for each of them a visit of its own, of which the page has nothing to complain. */
export function eachVisit(take: (given: Given) => void): void {
  let desk: WatchedDesk;
  let visit: Visit;
  beforeAll(async () => {
    desk = await WatchedDesk.start();
  });
  afterAll(async () => {
    await desk?.close();
  });
  beforeEach(async () => {
    visit = await desk.visit();
    take({ desk, visit, page: visit.page });
  });
  afterEach(async () => {
    await visit.close();
    expect(visit.complaints).toEqual([]);
  });
}

/** Lets time pass until the page warns. */
export async function untilWarned(visit: Visit): Promise<void> {
  await visit.pass(13 * MINUTE);
  await dialog(visit.page).waitFor();
}

/** Lets time pass until the offer of a draft is made, for which the page waits a moment once it has read the draft. */
export async function restoreOffered(visit: Visit) {
  const restore = visit.page.getByRole('button', { name: 'Restore' });
  await visit.page.waitForLoadState();
  await until('the offer is made', async () => {
    await visit.pass(SECOND);
    return restore.isVisible();
  });
  return restore;
}
