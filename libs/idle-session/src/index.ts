export type { EndReason, IdleSessionStatus } from 'idle-session-client/protocol';
export {
  ActivityStorage,
  type ActivityEnd,
  type ActivityReading,
  type ActivityRecord,
  type ActivityUnlock,
  type ExpiredSession,
  type Expiry,
  type NewSession,
  type RecordedEnd,
} from './activity/activity-storage.js';
export type {
  IndexAddition,
  IndexedSession,
  IndexLimit,
  IndexReading,
  NewIndexedSession,
  OwnerIndex,
  SessionDescription,
} from './activity/owner-index.js';
export type { ActivityFeed, Changes, Touch } from './activity/buffer/activity-feed.js';
export type { BufferedActivityStorageOptions } from './activity/buffer/buffer-options.js';
export { BufferedActivityStorage } from './activity/buffer/buffered-activity-storage.js';
export { evaluate, type Evaluation, type IdlePolicy } from './activity/evaluate.js';
export {
  MemoryActivityStorage,
  type MemoryActivityStorageOptions,
} from './activity/memory-activity-storage.js';
export type { ChangedKeys } from './activity/watchers.js';
export { IdleSessionModule } from './idle-session.module.js';
export type { ClientScript } from './endpoints/client-files.js';
export { IdleSessionService } from './idle-session.service.js';
export type {
  IdleSessionModuleExtras,
  IdleSessionModuleOptions,
  IdleSessionOptionsFactory,
  IdleSessionSessionOptions,
} from './options/idle-session.options.js';
export type { IdleSessionPolicy, PolicyLimit } from './options/policy.js';
export type { IdleSessionPreset } from './options/presets.js';
export {
  AllowLocked,
  EndsWithSession,
  FreshSession,
  IdleSession,
  PassiveRoute,
  SkipIdleSession,
} from './request/idle-session.decorators.js';
export { IdleSessionGateway } from './request/idle-session-gateway.decorator.js';
export { IdleSessionGuard } from './request/idle-session.guard.js';
export { IdleSessionInterceptor } from './request/idle-session.interceptor.js';
export type { ProtectOptions } from './request/protecting-middleware.js';
export { safeReturnTo } from './request/safe-return-to.js';
export { SessionExpiredFilter } from './request/session-expired.filter.js';
export type { EventCause, IdleSessionEvent } from './session/idle-session.events.js';
export {
  SessionConfirmationRequiredException,
  SessionExpiredException,
  SessionLockedException,
  StorageUnavailableException,
  TooManySessionsException,
} from './session/idle-session.exceptions.js';
export type { AttachOptions } from './session/open/open-sockets.js';
export type { AttachableSocket } from './session/open/socket.js';
export type {
  EndAllOptions,
  EndByRefOptions,
  ListedSession,
  ListOptions,
} from './session/person-sessions.js';
export type { DeliberateEndReason } from './session/request-session.js';
export type { IdleSessionStats } from './session/session-stats.js';
export type { Duration } from './utils/duration.js';
export { IdleSessionOptionsError } from './utils/option-error.js';
