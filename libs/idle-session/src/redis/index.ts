export {
  RedisActivityStorage,
  type RedisActivityStorageOptions,
  type RedisSubscriber,
} from './redis-activity-storage.js';
export type { IoredisClient, IoredisSubscriber } from './ioredis-client.js';
export type { RedisScriptClient } from './script-call.js';
