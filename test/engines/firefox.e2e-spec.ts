import { describe } from '@jest/globals';
import { countsAssistiveTechnology } from './behaviours/counting-unusual.js';
import { BASICS, behaves } from './support/behaves.js';
import { launchFirefox } from './support/firefox.js';

describe('Firefox', () => {
  behaves(launchFirefox, ...BASICS, countsAssistiveTechnology);
});
