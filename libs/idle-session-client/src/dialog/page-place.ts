/**
 * Remembers what opening a modal dialog takes from the page: the popovers, which the browser closes, and what is selected.
 * Returns how to give it back once the dialog is closed.
 */
export function keepPlace(host: HTMLElement): () => void {
  // `:is()` lets older browsers, which know none, find none.
  const popovers = document.querySelectorAll<HTMLElement>(':is(:popover-open)');
  const giveSelectionBack = keepSelection();
  const focused = document.activeElement as HTMLElement | null;
  return () => {
    for (const popover of popovers) {
      if (popover.isConnected && !popover.matches(':popover-open')) popover.showPopover();
    }
    // What was in a popover could not have it before.
    if (document.activeElement !== focused) focused?.focus({ preventScroll: true });
    // A text field keeps its own.
    if (!focused?.matches('input, textarea')) giveSelectionBack();
    const { body, activeElement } = document;
    const isLost = activeElement === body || host.shadowRoot!.activeElement !== null;
    if (isLost && focused !== body) focusMain();
  };
}

function keepSelection(): () => void {
  const { anchorNode, anchorOffset = 0, focusNode, focusOffset = 0 } = getSelection() ?? {};
  return () => {
    if (!anchorNode?.isConnected || !focusNode?.isConnected) return;
    try {
      getSelection()?.setBaseAndExtent(anchorNode, anchorOffset, focusNode, focusOffset);
    } catch {
      // The text is shorter now.
    }
  };
}

/** For who had the focus on something that is gone. */
function focusMain(): void {
  const main = document.querySelector<HTMLElement>('main, h1');
  if (main && !main.hasAttribute('tabindex')) {
    main.tabIndex = -1;
    main.addEventListener('blur', () => main.removeAttribute('tabindex'), { once: true });
  }
  main?.focus({ preventScroll: true });
}

/** Ends what would show something of a page that is covered: what is selected can be copied. */
export function leaveNothingBehind(): void {
  getSelection()?.removeAllRanges();
  // Rejected where there is nothing to leave, and missing where there never is.
  const ignore = () => {};
  document.exitFullscreen?.().catch(ignore);
  document.exitPictureInPicture?.().catch(ignore);
}

/** Whether another dialog lies over all of an element: what is below a modal dialog cannot be hit. */
export function isBuried(host: HTMLElement): boolean {
  const [x, y] = [innerWidth / 2, innerHeight / 2];
  const root = host.getRootNode() as Document | ShadowRoot;
  return !host.contains(root.elementFromPoint(x, y)) && document.elementFromPoint(x, y) !== null;
}
