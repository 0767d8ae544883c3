// What the server and the browser agree on: types and pure functions, for both.
export type { EndReason } from './end-reason.js';
export type { IdleSessionStatus } from './idle-session-status.js';
export { loginAddress } from './login-address.js';
