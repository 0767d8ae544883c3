import { defineIdleSessionDialog } from './dialog/idle-session-dialog.js';
import { createIdleSession } from './session/create-idle-session.js';

export { createIdleSession, defineIdleSessionDialog };

const placed = document.querySelector('idle-session-dialog');

/** The endpoints are where this file was loaded from, which may be another origin. */
const { href } = new URL('.', import.meta.url);
const path = placed?.getAttribute('path') ?? href.slice(0, -1).replace(`${location.origin}/`, '/');

/** What `<meta name="csrf-token">` says, for the app's CSRF middleware. */
function csrfHeaders(): Record<string, string> {
  const token = document.querySelector<HTMLMetaElement>('meta[name=csrf-token]')?.content;
  return token ? { 'X-CSRF-Token': token } : {};
}

/** The session of the page, for scripts that import this file, too: it is the same module. */
export const idleSession = createIdleSession({
  path,
  extendOnActivity: placed?.hasAttribute('extend-on-activity'),
  headers: csrfHeaders,
});

defineIdleSessionDialog(idleSession);
// Beside the body, which some routers replace.
if (!placed) document.documentElement.append(document.createElement('idle-session-dialog'));

/** Pages without a form to guard, and without a draft of one, do not load the rest. */
function hasFormsOrDrafts(): boolean {
  const hasDraft = Object.keys(sessionStorage).some((key) => key.startsWith('idle-session:draft:'));
  return hasDraft || document.querySelector('form[data-guard-forms]') !== null;
}

if (hasFormsOrDrafts()) {
  void import('./drafts/guard-forms.js').then(({ guardForms }) => guardForms(idleSession, path));
}
