import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { endSparingWithheld, withholdSession } from './withheld-session.js';

const requestWith = (session: unknown) => ({ sessionID: 'its id', session }) as unknown as Request;

/** What express-session would destroy with `unset: 'destroy'`. */
const destroyed = (request: Request) =>
  endSparingWithheld(request, () => (request.session == null ? request.sessionID : undefined));

describe('The end of an answer', () => {
  it('destroys no session that the module has taken from its request, which keeps the id', () => {
    const request = requestWith({});
    withholdSession(request);
    expect(request.session).toBeUndefined();
    expect(destroyed(request)).toBeUndefined();
    expect(request.sessionID).toBe('its id');
  });

  it('destroys a session that the app has unset, also if the module takes it from the request after that', () => {
    const request = requestWith(null);
    expect(destroyed(request)).toBe('its id');
    withholdSession(request);
    expect(destroyed(request)).toBe('its id');
  });

  it('destroys a session that the app unsets after the module has taken it from the request', () => {
    const request = requestWith({});
    withholdSession(request);
    Object.assign(request, { session: null });
    expect(destroyed(request)).toBe('its id');
  });
});
