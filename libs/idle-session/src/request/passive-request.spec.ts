import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { isPassiveRequest, isUnattended } from './passive-request.js';

const requestWith = (header: string, value: string, more = {}) =>
  ({ headers: { [header.toLowerCase()]: value, ...more } }) as unknown as Request;

describe('isPassiveRequest', () => {
  it.each([
    ['Idle-Session', 'passive'],
    ['Idle-Session', 'Passive'],
    ['Idle-Session', 'passive; tab=1'],
    ['Sec-Purpose', 'prefetch'],
    ['Sec-Purpose', 'prefetch;prerender'],
    ['Sec-Purpose', 'prefetch;anonymous-client-ip'],
    ['Accept', 'text/event-stream'],
    ['Accept', 'Text/Event-Stream;q=0.9'],
    ['Accept', ', text/event-stream , text/event-stream;charset=utf-8'],
    ['Purpose', 'prefetch'],
    ['X-Purpose', 'prefetch'],
    ['X-Moz', 'prefetch'],
    ['Sec-Fetch-Dest', 'report'],
    ['Service-Worker', 'script'],
    ['Content-Type', 'application/reports+json'],
    ['Content-Type', 'application/csp-report'],
    ['Content-Type', 'Application/CSP-Report; charset=utf-8'],
    ['Content-Type', 'application/csp-report ;charset=utf-8'],
    ['Sec-Fetch-Site', 'cross-site'],
    ['Sec-Fetch-Site', 'same-site'],
    ['Sec-Fetch-Site', 'a value of tomorrow'],
  ])('takes the word of %s: %s', (header, value) => {
    expect(isPassiveRequest(requestWith(header, value), [])).toBe(true);
  });

  it.each([
    ['Idle-Session', 'active'],
    ['Idle-Session', 'not-passive'],
    ['Idle-Session', ''],
    ['Sec-Purpose', 'prefetcher'],
    ['Accept', 'text/html,*/*;q=0.8'],
    ['Accept', 'text/event-streams'],
    ['Accept', ''],
    ['Accept', ', ,'],
    ['Accept', 'application/json, text/event-stream;q=0.9'],
    ['Accept', 'text/event-stream, */*'],
    ['Purpose', 'passive'],
    ['Sec-Fetch-Site', 'same-origin'],
    ['Sec-Fetch-Site', 'none'],
    ['Content-Type', 'application/json'],
    ['Content-Type', 'application/csp-reports'],
    ['Content-Type', 'application/csp-report-later'],
    ['Service-Worker', 'scripts'],
    ['Content-Type', 'text/plain; application/csp-report'],
    ['Sec-Fetch-Dest', 'empty'],
    ['Sec-Fetch-Dest', 'document'],
    ['Sec-Fetch-User', '?1'],
  ])('takes %s: %s as a request that a person may be behind', (header, value) => {
    expect(isPassiveRequest(requestWith(header, value), [])).toBe(false);
  });

  it.each(['cross-site', 'same-site'])('counts a click on a link of another site: %s', (site) => {
    const clicked = requestWith('Sec-Fetch-Site', site, { 'sec-fetch-user': '?1' });
    expect(isPassiveRequest(clicked, [])).toBe(false);
    const scripted = requestWith('Sec-Fetch-Site', site, { 'sec-fetch-user': '?0' });
    expect(isPassiveRequest(scripted, [])).toBe(true);
  });

  it('counts requests of a listed origin, unless the browser says that it is of another site', () => {
    const origin = 'https://app.example.com';
    const from = (site: string, more = {}) =>
      isPassiveRequest(requestWith('Sec-Fetch-Site', site, { origin, ...more }), [origin]);
    expect(from('same-site')).toBe(false);
    expect(from('cross-site')).toBe(true);
    expect(from('same-site', { origin: 'https://blog.example.com' })).toBe(true);
    expect(from('same-site', { origin: undefined })).toBe(true);
    expect(from('same-site', { 'idle-session': 'passive' })).toBe(true);
  });
});

describe('isUnattended', () => {
  it('is not said of a page that another site opens: a person sees that', () => {
    expect(isUnattended(requestWith('Sec-Fetch-Site', 'cross-site'))).toBe(false);
    expect(isUnattended(requestWith('Sec-Purpose', 'prefetch'))).toBe(true);
  });
});
