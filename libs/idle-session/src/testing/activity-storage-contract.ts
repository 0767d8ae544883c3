import { activityCases } from './activity-cases.js';
import type { ActivityStorageContractCase } from './contract-case.js';
import { endCases } from './end-cases.js';
import { expiryCases } from './expiry-cases.js';
import { indexCases } from './index-cases.js';
import { lockCases } from './lock-cases.js';
import { watchCases } from './watch-cases.js';

/**
 * What every {@link ActivityStorage} has to keep to, for any test runner.
 *
 * @example
 * it.each(activityStorageContract)('$name', async ({ run }) => run(await createHarness()));
 */
export const activityStorageContract: readonly ActivityStorageContractCase[] = [
  ...activityCases,
  ...endCases,
  ...expiryCases,
  ...lockCases,
  ...watchCases,
  ...indexCases,
];
