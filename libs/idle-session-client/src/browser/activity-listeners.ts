/** For how long after an activity no other counts. */
const PAUSE_MS = 250;

/** Kinds of `input` that no script can cause: input methods, dictation and menus press no key. */
const ENTERED_BY_HAND = /^insert(Comp|From|Repl)/;

/**
 * Calls back when the person does something in the page, even where the page stops the events: for the first event at
 * once, and then at most every quarter of a second.
 */
export function onActivity(listener: () => void, signal: AbortSignal): void {
  const options = { capture: true, passive: true, signal };
  let isKeyHeld = false;
  let position = '';
  let pause: ReturnType<typeof setTimeout> | 0 = 0;

  const always = () => true;
  /** Scripts and held keys cause trusted ones, too, but assistive technology may cause nothing else. */
  const ifCausedByPerson = ({ inputType }: InputEvent) =>
    // Where the browser does not tell, a trusted event is enough.
    !isKeyHeld && (ENTERED_BY_HAND.test(inputType) || navigator.userActivation?.isActive !== false);

  /** The events that may be activity, and whether one is. Not scroll, focusin, mouseover: layouts and scripts cause them. */
  const events: Record<string, (event: never) => unknown> = {
    keydown: ({ repeat }: KeyboardEvent) => {
      // A book on the keyboard holds a key down, too.
      isKeyHeld = repeat;
      return !repeat;
    },
    keyup: () => {
      isKeyHeld = false;
    },
    input: ifCausedByPerson,
    click: ifCausedByPerson,
    pointerdown: always,
    wheel: always,
    touchmove: always,
    pointermove: ({ screenX, screenY, movementX, movementY }: PointerEvent) => {
      const before = position;
      position = `${screenX},${screenY}`;
      // A layout that moves under the mouse causes moves without a new position, and so does a page that locks the pointer.
      return document.pointerLockElement ? movementX || movementY : before && before !== position;
    },
  };
  for (const [type, isActivity] of Object.entries(events)) {
    const onEvent = (event: Event) => {
      if (!event.isTrusted || !isActivity(event as never) || pause) return;
      pause = setTimeout(() => (pause = 0), PAUSE_MS);
      listener();
    };
    window.addEventListener(type, onEvent, options);
  }
}

/** While an iframe has the focus, its events do not reach the page: asks the browser instead. */
export function isActiveInIframe(): boolean | undefined {
  let focused = document.activeElement;
  // Closed ones do not tell.
  while (focused?.shadowRoot) focused = focused.shadowRoot.activeElement;
  return focused?.localName === 'iframe' && navigator.userActivation?.isActive;
}
