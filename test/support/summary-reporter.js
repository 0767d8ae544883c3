import { mkdirSync, writeFileSync } from 'node:fs';

/** Leaves "N passed, N failed" in coverage/summary.txt, for .ci/run to end with. */
export default class SummaryReporter {
  /** @param {{ coverageDirectory: string }} globalConfig */
  constructor({ coverageDirectory }) {
    this.directory = coverageDirectory;
  }

  /**
   * @param {unknown} _contexts
   * @param {Record<'numFailedTests' | 'numPassedTests' | 'numRuntimeErrorTestSuites', number>} results
   */
  onRunComplete(_contexts, results) {
    // A file that could not be loaded counts as one failure: it has no tests to count.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    mkdirSync(this.directory, { recursive: true });
    writeFileSync(
      `${this.directory}/summary.txt`,
      `${results.numPassedTests} passed, ${failed} failed\n`,
    );
  }
}
