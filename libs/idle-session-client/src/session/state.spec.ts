import { describe, expect, it } from '@jest/globals';
import { STARTING, withChanges } from './state.js';

describe('withChanges', () => {
  it('is the very same state if nothing changes', () => {
    expect(withChanges(STARTING, {})).toBe(STARTING);
    expect(withChanges(STARTING, { state: 'starting', online: true })).toBe(STARTING);
  });

  it('is another one with the changes, and leaves the old one alone', () => {
    const state = withChanges(STARTING, { state: 'active', online: true });
    expect(state).toEqual({ ...STARTING, state: 'active' });
    expect(STARTING.state).toBe('starting');
  });
});
