import { afterEach, beforeEach, jest } from '@jest/globals';

/** For tests of pages that something else answers: what the client says of that is not about the test. */
beforeEach(() => void jest.spyOn(console, 'warn').mockImplementation(() => {}));
afterEach(() => void jest.restoreAllMocks());
