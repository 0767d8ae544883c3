import type { EndReason } from 'idle-session-client';

export function askToSignIn(signInAgain: HTMLDialogElement): void {
  // #region expired
  document.addEventListener('expired', (event) => {
    event.preventDefault();
    const { reason } = (event as CustomEvent<{ reason: EndReason | null }>).detail;
    signInAgain.returnValue = reason ?? '';
    signInAgain.showModal();
  });
  // #endregion expired
}
