import { describe, expect, it } from '@jest/globals';
import { isStatus, reasonOf } from './server-answer.js';

describe('isStatus', () => {
  const alive = { state: 'active', expiresInMs: 900_000, sessionRef: 'session-1' };

  it.each([
    { state: 'none' },
    { state: 'expired', reason: 'idle' },
    alive,
    { ...alive, state: 'warning' },
    { ...alive, state: 'locked' },
    { status: 401, reason: 'revoked', loginUrl: '/login' },
    ...['login', '../login?a=b', '//sign.example/in', 'https://sign.example/in', null].flatMap(
      (url) => [
        { ...alive, loginUrl: url },
        { ...alive, unlockUrl: url },
      ],
    ),
  ])("takes %j for the server's answer", (body) => {
    expect(isStatus(body)).toBe(true);
  });

  it.each([
    undefined,
    null,
    'active',
    [],
    {},
    { state: 'ok' },
    { state: 'active' },
    { ...alive, expiresInMs: '900000' },
    { ...alive, sessionRef: null },
    ...[
      'javascript:alert(1)',
      ' JAVA\nscript:alert(1)//',
      'data:text/html,',
      'http://',
      'httpx:a',
    ].flatMap((url) => [
      { ...alive, loginUrl: url },
      { ...alive, unlockUrl: url },
      { state: 'none', loginUrl: url },
      { status: 401, reason: 'idle', loginUrl: url },
    ]),
  ])('does not take %j for it', (body) => {
    expect(isStatus(body)).toBe(false);
  });
});

describe('reasonOf', () => {
  it.each(['idle', 'absolute', 'signed-out', 'revoked', 'lost'])('knows %s', (reason) => {
    expect(reasonOf({ status: 401, reason })).toBe(reason);
  });

  it.each([
    undefined,
    null,
    'idle',
    {},
    { reason: 'wrong password' },
    { reason: 'confirm' },
    { reason: 'locked' },
    { reason: null },
  ])('does not take %j for the end of a session', (body) => {
    expect(reasonOf(body)).toBeUndefined();
  });
});
