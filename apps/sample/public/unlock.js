// Sends the form that lies over a locked page, so that the page goes on where the person was.
import { idleSession } from '/idle-session/client.js';

const form = /** @type {HTMLFormElement} */ (document.getElementById('unlock'));
const password = /** @type {HTMLInputElement} */ (document.getElementById('unlock-password'));
const problem = /** @type {HTMLElement} */ (document.getElementById('unlock-problem'));
let isSending = false;

/** @param {string} text empty: nothing is wrong */
function say(text) {
  problem.textContent = text;
  password.toggleAttribute('aria-invalid', text !== '');
}

async function send() {
  const body = new URLSearchParams({ password: password.value });
  const answer = await fetch(form.action, { method: 'POST', body, redirect: 'manual' }).catch(
    () => undefined,
  );
  if (answer?.status === 422) {
    say('The password is wrong. Check it, then enter it again.');
    password.select();
  } else if (!answer || answer.status >= 500) {
    say('We cannot reach the service. Wait a little, then try again.');
  } else {
    say('');
    // Also where the session has ended meanwhile.
    idleSession.check();
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (isSending) return;
  isSending = true;
  void send().finally(() => (isSending = false));
});
