import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createIdleSession } from '../session/create-idle-session.js';
import { STARTING } from '../session/state.js';
import { defineIdleSessionDialog } from './idle-session-dialog.js';

/** As much of jsdom as tells it from a browser: it has a page, and lacks what the client needs of one. */
const jsdom = {
  window: new EventTarget(),
  document: new EventTarget(),
  HTMLElement: EventTarget,
  customElements: { get: () => undefined, define: jest.fn() },
};

describe("In the jsdom of an app's own tests", () => {
  afterEach(() => {
    jest.restoreAllMocks();
    for (const name of Object.keys(jsdom)) Reflect.deleteProperty(globalThis, name);
  });

  it('the session stays starting, and the element is not defined', () => {
    Object.assign(globalThis, jsdom);
    const fetch = jest.spyOn(globalThis, 'fetch');
    const session = createIdleSession();
    session.destroy();
    expect(session.getState()).toBe(STARTING);
    expect(fetch).not.toHaveBeenCalled();
    defineIdleSessionDialog();
    expect(jsdom.customElements.define).not.toHaveBeenCalled();
  });
});
