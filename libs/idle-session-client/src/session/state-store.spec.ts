import { describe, expect, it } from '@jest/globals';
import { StateStore } from './state-store.js';
import { STARTING } from './state.js';

describe('StateStore', () => {
  it('keeps the very same state if nothing changes, and tells nobody', () => {
    const store = new StateStore();
    let calls = 0;
    store.subscribe(() => calls++);
    store.update({});
    store.update({ state: 'starting', online: true });
    expect(store.current).toBe(STARTING);
    expect(calls).toBe(0);
  });

  it('has another state with the changes, and leaves the old one alone', () => {
    const store = new StateStore();
    const states: unknown[] = [];
    store.subscribe(() => states.push(store.current));
    store.update({ state: 'active', online: true });
    expect(store.current).toEqual({ ...STARTING, state: 'active' });
    expect(states).toEqual([store.current]);
    expect(STARTING.state).toBe('starting');
  });

  it('stays as it is once it is closed', () => {
    const store = new StateStore();
    store.update({ state: 'active' });
    const { current } = store;
    store.close();
    store.update({ state: 'expired' });
    expect(store.current).toBe(current);
    expect([store.isAlive, store.isOver]).toEqual([false, true]);
  });
});
