export {
  ActivityStorage,
  type ActivityReading,
  type ActivityRecord,
  type EndReason,
  type ExpiredSession,
  type Expiry,
} from './activity-storage.js';
export {
  BufferedActivityStorage,
  type ActivityFeed,
  type BufferedActivityStorageOptions,
  type News,
  type Touch,
} from './buffered-activity-storage.js';
export type { Duration } from './duration.js';
export { evaluate, type Evaluation, type IdlePolicy } from './evaluate.js';
export { IdleSession, PassiveRoute, SkipIdleSession } from './idle-session.decorators.js';
export type { IdleSessionEvent } from './idle-session.events.js';
export { SessionExpiredException, StorageUnavailableException } from './idle-session.exceptions.js';
export { SessionExpiredFilter } from './idle-session.filter.js';
export { IdleSessionGuard } from './idle-session.guard.js';
export { IdleSessionInterceptor } from './idle-session.interceptor.js';
export { IdleSessionModule } from './idle-session.module.js';
export type {
  IdleSessionModuleExtras,
  IdleSessionModuleOptions,
  IdleSessionOptionsFactory,
  IdleSessionSessionOptions,
} from './idle-session.options.js';
export { IdleSessionService, type DeliberateEndReason } from './idle-session.service.js';
export type { IdleSessionStatus } from './idle-session.status.js';
export { IdleSessionStore } from './idle-session.store.js';
export type { MaybePromise } from './maybe-promise.js';
export {
  MemoryActivityStorage,
  type MemoryActivityStorageOptions,
} from './memory-activity-storage.js';
export { IdleSessionOptionsError } from './options-error.js';
export { safeReturnTo } from './safe-return-to.js';
