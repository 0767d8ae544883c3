import { describe } from '@jest/globals';
import { behaves } from './support/behaves.js';
import { launchFirefox } from './support/firefox.js';

describe('Firefox', () => {
  behaves(launchFirefox);
});
