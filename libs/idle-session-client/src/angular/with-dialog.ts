import { defineIdleSessionDialog } from '../dialog/idle-session-dialog.js';
import { idleSession } from '../session/page-session.js';
import type { IdleSessionFeature } from './provide-idle-session.js';

/** For `provideIdleSession()`: shows the dialog. An element that the page has itself comes before its own. */
export function withDialog(): IdleSessionFeature {
  return () => {
    defineIdleSessionDialog(idleSession);
    const element = document.createElement('idle-session-dialog');
    // Beside the body, which the app may be.
    document.documentElement.append(element);
    return () => element.remove();
  };
}
