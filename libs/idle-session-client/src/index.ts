export type { EndReason } from './protocol/end-reason.js';
export { createIdleSession } from './session/create-idle-session.js';
export type { IdleSession } from './session/idle-session.js';
export type { IdleSessionOptions } from './session/idle-session-options.js';
export { STARTING, type IdleSessionState } from './session/state.js';
