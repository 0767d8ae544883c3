import { idleSession } from '/idle-session/client.js';

const form = document.querySelector<HTMLFormElement>('#unlock')!;

// #region submit
form.addEventListener('submit', (event) => {
  event.preventDefault();
  void unlock();
});

async function unlock(): Promise<void> {
  const [problem] = form.getElementsByTagName('p');
  const password = form.querySelector<HTMLInputElement>('[type=password]')!;
  problem!.textContent = '';
  const response = await fetch(form.action, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ password: password.value }),
  }).catch(() => undefined);
  if (response?.status === 422) problem!.textContent = 'This is not the password.';
  else if (!response || response.status >= 500)
    problem!.textContent = 'We cannot reach the service.';
  // Also where the session has ended meanwhile, after too many tries say.
  else return idleSession.check();
  password.select();
}
// #endregion submit
