import { defineIdleSessionDialog } from './element/idle-session-dialog.js';
import { createIdleSession } from './index.js';

export { createIdleSession, defineIdleSessionDialog };

const placed = document.querySelector('idle-session-dialog');

/** Where this file was loaded from, the endpoints are. */
const path = placed?.getAttribute('path') ?? new URL('.', import.meta.url).pathname.slice(0, -1);

/** The session of the page, for scripts that import this file, too: it is the same module. */
export const idleSession = createIdleSession({
  path,
  extendOnActivity: placed?.hasAttribute('extend-on-activity'),
});

defineIdleSessionDialog(idleSession);
// Beside the body, which some routers replace.
if (!placed) document.documentElement.append(document.createElement('idle-session-dialog'));

/** Of pages that have a form to guard, and of those that follow one. */
function guardsForms(): boolean {
  const kept = Object.keys(sessionStorage).some((key) => key.startsWith('idle-session:draft:'));
  return kept || document.querySelector('form[data-guard-forms]') !== null;
}

if (guardsForms()) {
  void import('./drafts.js').then(({ guardForms }) => guardForms(idleSession, path));
}
