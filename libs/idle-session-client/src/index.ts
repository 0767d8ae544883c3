export type { EndReason } from './protocol/end-reason.js';
export { createIdleSession } from './session/create-idle-session.js';
export { IdleSession, type IdleSessionOptions } from './session/idle-session.js';
export { STARTING, type IdleSessionState } from './session/state.js';
