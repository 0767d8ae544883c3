import { describe } from '@jest/globals';
import { countsAssistiveTechnology } from './behaviours/counting-unusual.js';
import { behaves } from './support/behaves.js';
import { launchChromium } from './support/chromium.js';

describe('Chromium', () => {
  behaves(launchChromium, countsAssistiveTechnology);
});
