import { createIdleSession } from 'idle-session-client';
import { defineIdleSessionDialog } from 'idle-session-client/element';

// #region client
const API = 'https://api.example.com';

export const idleSession = createIdleSession({ path: `${API}/idle-session` });
defineIdleSessionDialog(idleSession);
// #endregion client

// #region fetch
export function call(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(API + path, { ...init, credentials: 'include' });
}
// #endregion fetch
