// Says what becomes of entries that were not sent. They are kept as drafts where scripts run and the page came over
// https or from this machine.
const message = document.querySelector('[data-if-kept]');
if (message && isSecureContext) message.textContent = message.getAttribute('data-if-kept');

const { unsentKept, unsentLost } = document.body.dataset;
if (unsentKept) {
  const unsent = isSecureContext ? unsentKept : unsentLost;
  const dialog = document.createElement('idle-session-dialog');
  dialog.setAttribute('text', `For your security, we will sign you out in {time}. ${unsent}`);
  dialog.setAttribute('fixed', 'You cannot stay signed in for longer.');
  // Asks for the password where the page is locked.
  const form = /** @type {HTMLTemplateElement | null} */ (document.getElementById('unlock-form'));
  if (form) dialog.append(form.content);
  // Before the browser client looks for one, and beside the body, which is not printed while it is covered.
  document.documentElement.append(dialog);
}
