import { describe } from '@jest/globals';
import { behaves } from './support/behaves.js';
import { launchWebKit } from './support/webkit.js';

describe('WebKit', () => {
  behaves(launchWebKit);
});
