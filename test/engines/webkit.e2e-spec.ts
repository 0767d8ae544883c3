import { describe } from '@jest/globals';
import { BASICS, behaves } from './support/behaves.js';
import { launchWebKit } from './support/webkit.js';

describe('WebKit', () => {
  behaves(launchWebKit, ...BASICS);
});
