import { describe } from '@jest/globals';
import { behaves } from './support/behaves.js';
import { launchChromium } from './support/chromium.js';

describe('Chromium', () => {
  behaves(launchChromium);
});
