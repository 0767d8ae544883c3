const { default: Sequencer } = require('@jest/test-sequencer');

/** Small files whose tests take longest; of the others, Jest begins with the largest. */
const LONGEST = /\/test\/(engines|properties|docs|soak)\//;

/** Begins with what takes longest: at the end, all but one of the workers would wait for it. */
module.exports = class LongestFirst extends Sequencer {
  /**
   * @override
   * @param {Parameters<Sequencer['sort']>[0]} tests
   */
  async sort(tests) {
    const sorted = await super.sort(tests);
    return [true, false].flatMap((longest) =>
      sorted.filter(({ path }) => LONGEST.test(path) === longest),
    );
  }
};
