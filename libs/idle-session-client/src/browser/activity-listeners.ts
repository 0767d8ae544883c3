import type { Stop } from './environment.js';

/** While an iframe has the focus, its events do not reach the page: how often to ask the browser instead. */
const IFRAME_POLL_MS = 4000;

/** How long nothing is listened to after an event, so that a storm of events costs the page nothing. */
const PAUSE_MS = 250;

// Not scroll, focusin and mouseover: scripts and moving layouts cause trusted ones, too.
const EVENTS = ['keydown', 'input', 'pointerdown', 'wheel', 'touchmove', 'mousemove'] as const;

/**
 * Calls back when the person does something in the page, even where the page stops the events: for the first event at
 * once, and then at most every quarter of a second.
 */
export function onActivity(listener: () => void): Stop {
  const options = { capture: true, passive: true };
  let mousePosition = '';
  let pause: ReturnType<typeof setTimeout> | undefined;
  const onEvent = (event: Event) => {
    // A book on the keyboard holds a key down, too.
    if (!event.isTrusted || (event as KeyboardEvent).repeat) return;
    if (event.type === 'mousemove') {
      const { screenX, screenY } = event as MouseEvent;
      const before = mousePosition;
      mousePosition = `${screenX},${screenY}`;
      // A layout that moves under the mouse causes moves without a new position.
      if (mousePosition === before || !before) return;
    }
    stopListening();
    pause = setTimeout(listen, PAUSE_MS);
    listener();
  };
  const listen = () => {
    for (const type of EVENTS) window.addEventListener(type, onEvent, options);
  };
  const stopListening = () => {
    for (const type of EVENTS) window.removeEventListener(type, onEvent, options);
  };
  listen();
  const poll = setInterval(() => {
    const inIframe = document.activeElement?.localName === 'iframe';
    if (inIframe && navigator.userActivation?.isActive) listener();
  }, IFRAME_POLL_MS);
  return () => {
    clearInterval(poll);
    clearTimeout(pause);
    stopListening();
  };
}
