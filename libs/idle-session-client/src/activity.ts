/** While an iframe has the focus, its events do not reach the page: how often to ask the browser instead. */
const IFRAME_POLL_MS = 4000;

/** For how long nothing is listened to once something was heard, so that a storm of events costs the page nothing. */
const PAUSE_MS = 250;

// Not scroll, focusin and mouseover: scripts and moving layouts cause trusted ones, too.
const EVENTS = ['keydown', 'input', 'pointerdown', 'wheel', 'touchmove', 'mousemove'] as const;

/**
 * Hears of a person's own doing in the page, whatever the page does with the events: the first of it, and what goes on
 * for longer at least every quarter of a second. Returns how to stop.
 */
export function onActivity(heard: () => void): () => void {
  const options = { capture: true, passive: true };
  let mouse = '';
  let pause: ReturnType<typeof setTimeout> | undefined;
  const hear = (event: Event) => {
    if (!event.isTrusted) return;
    // A key held down by a book is nobody.
    if (event instanceof KeyboardEvent && event.type === 'keydown' && event.repeat) return;
    if (event.type === 'mousemove') {
      const { screenX, screenY } = event as MouseEvent;
      const before = mouse;
      mouse = `${screenX},${screenY}`;
      // Moves without a new place come from layouts that move under the mouse.
      if (mouse === before || before === '') return;
    }
    stopListening();
    pause = setTimeout(listen, PAUSE_MS);
    heard();
  };
  const listen = () => {
    for (const type of EVENTS) window.addEventListener(type, hear, options);
  };
  const stopListening = () => {
    for (const type of EVENTS) window.removeEventListener(type, hear, options);
  };
  listen();
  const poll = setInterval(() => {
    const inIframe = document.activeElement instanceof HTMLIFrameElement;
    if (inIframe && navigator.userActivation?.isActive) heard();
  }, IFRAME_POLL_MS);
  return () => {
    clearInterval(poll);
    clearTimeout(pause);
    stopListening();
  };
}
