import { describe, expect, it } from '@jest/globals';
import { isTabMessage } from './tab-message.js';

describe('isTabMessage', () => {
  const message = {
    sessionRef: 'session-1',
    requestedAt: 1,
    expiresAt: 2,
    locksAt: Infinity,
    lastHeartbeatAt: -Infinity,
  };

  it('recognises the messages of a tab', () => {
    expect(isTabMessage(message)).toBe(true);
    expect(isTabMessage({ ...message, ended: 'idle' })).toBe(true);
  });

  it.each([
    undefined,
    null,
    'session-1',
    {},
    { ...message, sessionRef: null },
    { ...message, expiresAt: undefined },
    { ...message, locksAt: null },
    { ...message, requestedAt: undefined },
    { ...message, lastHeartbeatAt: null },
    { ...message, requestedAt: NaN },
    { ...message, requestedAt: -Infinity },
    { ...message, expiresAt: NaN },
    { ...message, expiresAt: Infinity },
    { ...message, locksAt: NaN },
    { ...message, lastHeartbeatAt: NaN },
  ])('ignores %j, which another script may have sent', (value) => {
    expect(isTabMessage(value)).toBe(false);
  });
});
