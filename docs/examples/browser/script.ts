// #region import
import { idleSession } from '/idle-session/client.js';
// #endregion import

// #region use
const show = () => {
  const { state, expiresAt } = idleSession.getState();
  document.title =
    expiresAt === null ? state : `${state} until ${new Date(expiresAt).toISOString()}`;
};
idleSession.subscribe(show);
show();
// #endregion use

/** What an app's own buttons call. */
export const actions = {
  // #region actions
  stay: () => idleSession.extend(),
  leave: () => idleSession.signOut(),
  // The person did something that no event of the page shows.
  spoke: () => idleSession.touch(),
  // #endregion actions
};
