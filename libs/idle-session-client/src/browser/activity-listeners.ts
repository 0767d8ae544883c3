import type { Stop } from './environment.js';

/** While an iframe has the focus, its events do not reach the page: how often to ask the browser instead. */
const IFRAME_POLL_MS = 4000;

/** For how long after an event the page listens to keys only, so that a storm of events costs it nothing. */
const PAUSE_MS = 250;

const KEYS = ['keydown', 'keyup'] as const;

// Not scroll, focusin and mouseover: scripts and moving layouts cause trusted ones, too.
const EVENTS = ['input', 'click', 'pointerdown', 'wheel', 'touchmove', 'pointermove'] as const;

/** Kinds of `input` that no script can cause, for input methods and dictation press no key. */
const ENTERED_BY_HAND = /^insert(Comp|From|Repl)/;

/**
 * Calls back when the person does something in the page, even where the page stops the events: for the first event at
 * once, and then at most every quarter of a second.
 */
export function onActivity(listener: () => void): Stop {
  const options = { capture: true, passive: true };
  let position = '';
  let isKeyHeld = false;
  let pause: ReturnType<typeof setTimeout> | undefined;

  const act = () => {
    if (pause) return;
    stopListening();
    pause = setTimeout(listen, PAUSE_MS);
    listener();
  };
  const onKey = ({ isTrusted, repeat, type }: KeyboardEvent) => {
    if (!isTrusted) return;
    // A book on the keyboard holds a key down, too.
    isKeyHeld = repeat;
    if (type === 'keydown' && !repeat) act();
  };
  const onEvent = (event: Event) => {
    if (event.isTrusted && isActivity(event)) act();
  };
  const isActivity = (event: Event): boolean => {
    switch (event.type) {
      case 'pointermove':
        return isMove(event as PointerEvent);
      // Scripts and held keys cause trusted ones, too, but assistive technology may cause nothing else.
      case 'input':
      case 'click':
        return (
          !isKeyHeld && (ENTERED_BY_HAND.test((event as InputEvent).inputType) || isPersonActive())
        );
      default:
        return true;
    }
  };
  /** A layout that moves under the mouse causes moves without a new position. */
  const isMove = ({ screenX, screenY, movementX, movementY }: PointerEvent): boolean => {
    const before = position;
    position = `${screenX},${screenY}`;
    // Where the page holds the pointer, the position never changes.
    if (document.pointerLockElement) return movementX !== 0 || movementY !== 0;
    return before !== '' && before !== position;
  };
  const listen = () => {
    pause = undefined;
    for (const type of EVENTS) window.addEventListener(type, onEvent, options);
  };
  const stopListening = () => {
    for (const type of EVENTS) window.removeEventListener(type, onEvent, options);
  };
  for (const type of KEYS) window.addEventListener(type, onKey, options);
  listen();
  const poll = setInterval(() => {
    if (focusedElement()?.localName === 'iframe' && navigator.userActivation?.isActive) listener();
  }, IFRAME_POLL_MS);
  return () => {
    clearInterval(poll);
    clearTimeout(pause);
    stopListening();
    for (const type of KEYS) window.removeEventListener(type, onKey, options);
  };
}

/** Whether the person did something just now, as the browser says; where it cannot tell, a trusted event shows it. */
function isPersonActive(): boolean {
  return navigator.userActivation?.isActive !== false;
}

/** Also within shadow roots, but for closed ones. */
function focusedElement(): Element | null {
  let focused = document.activeElement;
  for (let within; (within = focused?.shadowRoot?.activeElement);) focused = within;
  return focused;
}
