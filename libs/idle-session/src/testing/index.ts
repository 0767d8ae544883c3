export {
  activityStorageContract,
  type ActivityStorageContractCase,
  type ActivityStorageHarness,
} from './activity-storage-contract.js';
export { ManualClock } from './manual-clock.js';
