import { afterEach } from '@jest/globals';
import { createTestApp, type TestApp, type TestAppOptions } from './test-app.js';

/** Apps that are closed after each test, however many it starts. */
export function testApps(): (options?: TestAppOptions) => Promise<TestApp> {
  const running: TestApp[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map(({ app }) => app.close()));
  });
  return async (options) => {
    const test = await createTestApp(options);
    running.push(test);
    return test;
  };
}
