import { expect } from '@jest/globals';
import type { IdleSessionStatus } from 'nestjs-idle-session';
import type { Response } from 'supertest';
import type { TestApp } from './test-app.js';

export type Browser = ReturnType<TestApp['browser']>;

/** What Chrome accepts when a person opens a page. */
export const BROWSER_ACCEPT =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

/** A person opens a page. */
export const NAVIGATION = { 'Sec-Fetch-Mode': 'navigate', Accept: BROWSER_ACCEPT };

export async function statusOf(browser: Browser): Promise<IdleSessionStatus> {
  return (await browser.get('/idle-session/status').expect(200)).body;
}

/** A script of a session that ended gets the problem, with the reason. */
export async function expectEnded(
  browser: Browser,
  reason: string,
  path = '/page',
): Promise<Response> {
  const response = await browser
    .get(path)
    .expect(401)
    .expect('Content-Type', /^application\/problem\+json/)
    // RFC 9110, 15.5.2. Browsers open no prompt for a scheme that they do not know.
    .expect('WWW-Authenticate', `Session error="${reason}"`);
  expect(response.body.reason).toBe(reason);
  return response;
}

/** The host that {@link CROSS_SITE} and {@link SAME_SITE} requests are sent to. */
const Host = 'claims.example';

/** What browsers say about requests that another site makes them send. */
export const CROSS_SITE: Record<string, string>[] = [
  { Host, 'Sec-Fetch-Site': 'cross-site' },
  { Host, 'Sec-Fetch-Site': 'same-site' },
  { Host, 'Sec-Fetch-Site': 'cross-site', Origin: 'http://claims.example' },
  { Host, Origin: 'http://evil.example' },
  { Host, Origin: 'http://claims.example:8080' },
  { Host, Origin: 'http://claims.example.evil.example' },
  { Host, Origin: 'null' },
];

export const SAME_SITE: Record<string, string>[] = [
  { Host, 'Sec-Fetch-Site': 'same-origin' },
  { Host, 'Sec-Fetch-Site': 'none' },
  { Host, Origin: 'http://claims.example' },
  { Host: 'claims.example:3000', Origin: 'http://claims.example:3000' },
  { Host },
];
