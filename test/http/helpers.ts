import { expect } from '@jest/globals';
import type { IdleSessionStatus } from 'nestjs-idle-session';
import type { Response } from 'supertest';
import supertest from 'supertest';
import type { TestApp } from '../support/test-app.js';

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
    .expect('Content-Type', /^application\/problem\+json/);
  expect(response.body.reason).toBe(reason);
  return response;
}

/** The `Set-Cookie` headers of a response. */
export function setCookies(response: Response): string[] {
  return (response.get('Set-Cookie') ?? []) as string[];
}

/** Signs in, and returns what a browser would send as its `Cookie` header, for tests that tamper with it. */
export async function signInCookie(test: TestApp): Promise<string> {
  const response = await supertest(test.app.getHttpServer()).post('/sign-in').expect(200);
  return setCookies(response)[0]!.split(';')[0]!;
}

/** The raw session id within a `Cookie` header. */
export function sessionIdOf(cookie: string): string {
  return /s:([^.]+)\./.exec(decodeURIComponent(cookie))![1]!;
}

/** Holds a handler up until the test lets it go on. */
export class Gate {
  private arrive!: () => void;
  private letGo!: () => void;
  /** Resolves once a handler waits at the gate. */
  readonly reached = new Promise<void>((resolve) => (this.arrive = resolve));
  private readonly opened = new Promise<void>((resolve) => (this.letGo = resolve));

  pass(): Promise<void> {
    this.arrive();
    return this.opened;
  }

  open(): void {
    this.letGo();
  }
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
