// Keeps the time left current: whole minutes while there are some, then seconds.
import { idleSession } from '/idle-session/client.js';

const figure = /** @type {HTMLElement} */ (document.getElementById('time-left'));

function show() {
  const { expiresAt } = idleSession.getState();
  if (expiresAt === null) return;
  const seconds = Math.max(0, Math.round((expiresAt - Date.now()) / 1000));
  const [value, unit] = seconds >= 120 ? [Math.round(seconds / 60), 'minute'] : [seconds, 'second'];
  const text = new Intl.NumberFormat('en', { style: 'unit', unit, unitDisplay: 'long' }).format(
    value,
  );
  if (figure.textContent !== text) figure.textContent = text;
}

idleSession.subscribe(show);
setInterval(show, 1000);
