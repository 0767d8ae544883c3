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
  // 401: the session has ended meanwhile, after too many tries say.
  if (response?.ok || response?.status === 401) return idleSession.check();
  const isWrong = response?.status === 422;
  problem!.textContent = isWrong ? 'This is not the password.' : 'Please try again in a moment.';
  password.select();
}
// #endregion submit
