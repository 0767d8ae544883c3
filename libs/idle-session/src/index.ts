export {
  ActivityStorage,
  type ActivityReading,
  type ActivityRecord,
  type EndReason,
  type ExpiredSession,
  type Expiry,
} from './activity/activity-storage.js';
export {
  BufferedActivityStorage,
  type ActivityFeed,
  type BufferedActivityStorageOptions,
  type News,
  type Touch,
} from './activity/buffer/buffered-activity-storage.js';
export type { Duration } from './utils/duration.js';
export { evaluate, type Evaluation, type IdlePolicy } from './activity/evaluate.js';
export { IdleSession, PassiveRoute, SkipIdleSession } from './request/idle-session.decorators.js';
export type { IdleSessionEvent } from './session/idle-session.events.js';
export {
  SessionExpiredException,
  StorageUnavailableException,
} from './session/idle-session.exceptions.js';
export { SessionExpiredFilter } from './request/session-expired.filter.js';
export { IdleSessionGuard } from './request/idle-session.guard.js';
export { IdleSessionInterceptor } from './request/idle-session.interceptor.js';
export { IdleSessionModule } from './idle-session.module.js';
export type {
  IdleSessionModuleExtras,
  IdleSessionModuleOptions,
  IdleSessionOptionsFactory,
  IdleSessionSessionOptions,
} from './options/idle-session.options.js';
export { IdleSessionService, type DeliberateEndReason } from './idle-session.service.js';
export type { IdleSessionStatus } from './session/idle-session.status.js';
export { IdleSessionStore } from './session/session-store.js';
export type { MaybePromise } from './maybe-promise.js';
export {
  MemoryActivityStorage,
  type MemoryActivityStorageOptions,
} from './activity/memory-activity-storage.js';
export { IdleSessionOptionsError } from './utils/option-error.js';
export { safeReturnTo } from './request/safe-return-to.js';
