import supertest, { type Response } from 'supertest';
import type { TestApp } from './test-app.js';

/** The `Set-Cookie` headers of a response. */
export function setCookiesOf(response: Response): string[] {
  return (response.get('Set-Cookie') ?? []) as string[];
}

/** The cookies that a response sets, as the next request sends them. */
export function cookiesOf(response: Response): string {
  return setCookiesOf(response)
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
}

/** Signs in, and returns what a browser would send as its `Cookie` header, for tests that tamper with it. */
export async function signInCookie(test: TestApp): Promise<string> {
  return cookiesOf(await supertest(test.app.getHttpServer()).post('/sign-in').expect(200));
}

/** The raw session id within a `Cookie` header. */
export function sessionIdOf(cookie: string): string {
  return /=s:(.+)\.[^.]+$/.exec(decodeURIComponent(cookie))![1]!;
}
