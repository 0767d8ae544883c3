export type { EndReason } from '../protocol/end-reason.js';
export type { IdleSessionOptions } from '../session/idle-session-options.js';
export { idleSession, type PageSession, type SessionActions } from '../session/page-session.js';
export type { IdleSessionState } from '../session/state.js';
export {
  injectIdleSession,
  provideIdleSession,
  type IdleSessionFeature,
  type IdleSessionSignals,
} from './provide-idle-session.js';
export { withDialog } from './with-dialog.js';
