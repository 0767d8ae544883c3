import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { isPassiveRequest } from './passive-request.js';

const requestWith = (header: string, value: string) =>
  ({ headers: { [header.toLowerCase()]: value } }) as unknown as Request;

describe('isPassiveRequest', () => {
  it.each([
    ['Idle-Session', 'passive'],
    ['Idle-Session', 'Passive'],
    ['Idle-Session', 'passive; tab=1'],
    ['Sec-Purpose', 'prefetch'],
    ['Sec-Purpose', 'prefetch;prerender'],
    ['Sec-Purpose', 'prefetch;anonymous-client-ip'],
    ['Accept', 'text/event-stream'],
    ['Accept', 'application/json, text/event-stream;q=0.9'],
  ])('takes the word of %s: %s', (header, value) => {
    expect(isPassiveRequest(requestWith(header, value))).toBe(true);
  });

  it.each([
    ['Idle-Session', 'active'],
    ['Idle-Session', 'not-passive'],
    ['Idle-Session', ''],
    ['Sec-Purpose', 'prefetcher'],
    ['Accept', 'text/html,*/*;q=0.8'],
    ['Accept', 'text/event-streams'],
    ['Purpose', 'passive'],
  ])('takes %s: %s as a request that a person may be behind', (header, value) => {
    expect(isPassiveRequest(requestWith(header, value))).toBe(false);
  });
});
