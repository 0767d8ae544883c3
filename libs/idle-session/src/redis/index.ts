export {
  RedisActivityStorage,
  type RedisActivityStorageOptions,
  type RedisScriptClient,
} from './redis-activity-storage.js';
