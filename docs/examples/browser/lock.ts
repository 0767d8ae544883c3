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
  if (response?.ok) return idleSession.check();
  problem!.textContent = response ? 'This is not the password.' : 'We cannot reach the service.';
  password.select();
}
// #endregion submit
