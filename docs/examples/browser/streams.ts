import { idleSession } from '/idle-session/client.js';

export function fetchReport(): Promise<Response> {
  // #region fetch
  return fetch('/api/report', { signal: idleSession.signal });
  // #endregion fetch
}

// #region stream
export function openStream(url: string): EventSource {
  const stream = new EventSource(url);
  stream.addEventListener('session-ended', idleSession.check);
  idleSession.signal.addEventListener('abort', () => stream.close());
  return stream;
}
// #endregion stream
