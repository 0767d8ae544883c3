import type { Response } from 'supertest';

/** The `Set-Cookie` headers of a response. */
export function setCookiesOf({ headers }: Response): string[] {
  return ((headers as Record<string, unknown>)['set-cookie'] as string[] | undefined) ?? [];
}

/** The cookies that a response sets, as the next request sends them: for a second holder of the same session. */
export function cookiesOf(response: Response): string {
  return setCookiesOf(response)
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
}
