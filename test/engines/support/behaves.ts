import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { managesBehindWorker } from '../behaviours/behind-a-worker.js';
import { comesBack } from '../behaviours/coming-back.js';
import { counts } from '../behaviours/counting.js';
import { countsTheUnusual } from '../behaviours/counting-unusual.js';
import { covers } from '../behaviours/covering.js';
import { ends } from '../behaviours/ending.js';
import { keepsDrafts } from '../behaviours/keeping-drafts.js';
import { sharesTabs } from '../behaviours/sharing-tabs.js';
import { isLimited } from '../behaviours/limits.js';
import { managesWithoutHttps } from '../behaviours/without-https.js';
import { warns } from '../behaviours/warning.js';
import { SECOND } from '../../support/durations.js';
import { EngineDesk } from './engine-desk.js';
import { EngineVisit } from './engine-visit.js';
import type { Engine } from './engine.js';
import type { Given } from './given.js';

/** How long a browser may take to start on a busy machine. */
const LAUNCH_MS = 90 * SECOND;

type Behaviour = (given: Given) => void;

/** Of these, test/browser shows more, in Chromium. */
export const BASICS: readonly Behaviour[] = [
  warns,
  ends,
  sharesTabs,
  counts,
  keepsDrafts,
  comesBack,
];

const shownHereAlone: readonly Behaviour[] = [
  covers,
  countsTheUnusual,
  managesWithoutHttps,
  managesBehindWorker,
  isLimited,
];

/**
 * Runs behaviours in one browser, each as somebody else: those that no other test shows, and more.
 *
 * @param more of this engine
 */
export function behaves(launch: () => Promise<Engine>, ...more: readonly Behaviour[]): void {
  let desk: EngineDesk;
  let engine: Engine;
  let visits: EngineVisit[] = [];

  beforeAll(async () => {
    [desk, engine] = await Promise.all([EngineDesk.start(), launch()]);
  }, LAUNCH_MS);
  afterAll(async () => {
    await engine?.close();
    await desk?.close();
  });
  afterEach(async () => {
    for (const visit of visits) await visit.close();
    visits = [];
  });

  const given: Given = {
    get desk() {
      return desk;
    },
    get engine() {
      return engine;
    },
    async visit(path = '/claims/new', origin = desk.url) {
      const visit = new EngineVisit(desk, engine, await desk.signIn(), origin);
      visits.push(visit);
      await visit.enter(path);
      return visit;
    },
  };
  for (const behaviour of [...shownHereAlone, ...more]) behaviour(given);
}
