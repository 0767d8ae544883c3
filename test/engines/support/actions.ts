import type { Key } from './engine.js';

/** What both protocols, WebDriver and WebDriver BiDi, call input sources. */
type Source = Record<string, unknown>;

const CODES = new Map<string, string>(
  Object.entries({
    Enter: '\uE007',
    Escape: '\uE00C',
    PageDown: '\uE00F',
    Shift: '\uE008',
    Tab: '\uE004',
  } satisfies Record<Key, string>),
);

/** The actions of a keyboard, a mouse and its wheel, as both protocols write them. */
export function pressing(key: string): Source[] {
  const value = CODES.get(key) ?? key;
  const actions = ['keyDown', 'keyUp'].map((type) => ({ type, value }));
  return [{ type: 'key', id: 'keyboard', actions }];
}

export function movingTo(x: number, y: number): Source[] {
  return mouse([move(x, y)]);
}

const DOWN = { type: 'pointerDown', button: 0 };
const UP = { type: 'pointerUp', button: 0 };

export function clicking(x: number, y: number): Source[] {
  return mouse([move(x, y), DOWN, UP]);
}

export function pressingMouse(x: number, y: number): Source[] {
  return mouse([move(x, y), DOWN]);
}

export function releasingMouse(): Source[] {
  return mouse([UP]);
}

export function turningWheel(x: number, y: number, byY: number): Source[] {
  const scroll = { type: 'scroll', x, y, deltaX: 0, deltaY: byY, duration: 0, origin: 'viewport' };
  return [{ type: 'wheel', id: 'wheel', actions: [scroll] }];
}

function mouse(actions: object[]): Source[] {
  return [{ type: 'pointer', id: 'mouse', parameters: { pointerType: 'mouse' }, actions }];
}

/** Drivers take whole pixels only. */
function move(x: number, y: number) {
  return {
    type: 'pointerMove',
    x: Math.round(x),
    y: Math.round(y),
    duration: 0,
    origin: 'viewport',
  };
}
