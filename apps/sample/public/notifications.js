// Keeps the list current: by a stream while the page is in sight, or else by asking now and then. The server takes
// neither for activity, and both stop when the session has ended.
import { idleSession } from '/idle-session/client.js';

const { signal } = idleSession;
const list = document.getElementById('notifications');
const timer = setInterval(() => void poll(), 30_000);
/** @type {EventSource | undefined} */
let stream;

function listen() {
  stream?.close();
  // Each stream takes a connection, and over HTTP/1.1 the tabs of a browser share six.
  if (document.hidden || signal.aborted || isLocked()) return;
  // Connects again after an interruption, and never again after a 401.
  stream = new EventSource('/api/notifications/stream');
  stream.addEventListener('message', ({ data }) => show(JSON.parse(data)));
  stream.addEventListener('error', () => void poll());
  stream.addEventListener('session-ended', idleSession.check);
  stream.addEventListener('session-locked', idleSession.check);
}

async function poll() {
  if (isLocked() || (stream && stream.readyState !== EventSource.CLOSED)) return;
  const response = await fetch('/api/notifications', { signal }).catch(() => undefined);
  // The session has ended or is locked.
  if (response?.status === 401) idleSession.check();
  if (response?.ok) show(await response.json());
}

function stop() {
  clearInterval(timer);
  stream?.close();
}

/** @param {{ notifications: { text: string }[] }} current */
function show({ notifications }) {
  list?.replaceChildren(
    ...notifications.map(({ text }) => {
      const item = document.createElement('li');
      item.textContent = text;
      return item;
    }),
  );
}

const isLocked = () => idleSession.getState().state === 'locked';
let wasLocked = false;

idleSession.subscribe(() => {
  if (isLocked() === wasLocked) return;
  wasLocked = !wasLocked;
  // Closes it, too.
  listen();
});
signal.addEventListener('abort', stop);
document.addEventListener('visibilitychange', listen);
listen();
