import type { Key } from './engine.js';

/** What both protocols, WebDriver and WebDriver BiDi, call input sources. */
type Source = Record<string, unknown>;

const CODES = new Map<string, string>(
  Object.entries({
    Enter: '\uE007',
    Escape: '\uE00C',
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

export function clicking(x: number, y: number): Source[] {
  const buttons = ['pointerDown', 'pointerUp'].map((type) => ({ type, button: 0 }));
  return mouse([move(x, y), ...buttons]);
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
