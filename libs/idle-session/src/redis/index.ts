export {
  RedisActivityStorage,
  type RedisActivityStorageOptions,
  type RedisSubscriber,
} from './redis-activity-storage.js';
export type { RedisScriptClient } from './redis-activity-records.js';
