import type { EngineDesk } from './engine-desk.js';
import type { EngineVisit } from './engine-visit.js';
import type { Engine } from './engine.js';

/** What the tests of an engine work with. */
export interface Given {
  readonly desk: EngineDesk;
  readonly engine: Pick<Engine, 'name' | 'version'>;
  /**
   * Signs somebody in, whose first page is open; the end of the test closes it.
   *
   * @param path of the page; default: that of a long form
   * @param origin default: one that is secure to browsers
   */
  visit(path?: string, origin?: string): Promise<EngineVisit>;
}
