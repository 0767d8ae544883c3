export type { EndReason } from '../protocol/end-reason.js';
export type { IdleSessionOptions } from '../session/idle-session-options.js';
export { idleSession, type PageSession, type SessionActions } from '../session/page-session.js';
export type { IdleSessionState } from '../session/state.js';
export { IdleSessionDialog } from './idle-session-dialog.js';
export { useIdleSession, type UsedIdleSession } from './use-idle-session.js';
