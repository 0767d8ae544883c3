export { activityStorageContract } from './activity-storage-contract.js';
export type { ActivityStorageContractCase, ActivityStorageHarness } from './contract-case.js';
export { ManualClock } from './manual-clock.js';
