import { signInCookie } from './cookies.js';
import { signIn } from './socket-app.js';
import { MINUTE, type TestApp } from './test-app.js';

/** Handshakes that no socket is let in with: what they are, the headers that they have, and the reason that is told. */
export const REFUSED_HANDSHAKES: readonly [
  what: string,
  headersOf: (test: TestApp) => Promise<Record<string, string>>,
  reason: string,
][] = [
  ['without a cookie', async () => ({}), 'none'],
  [
    'with a forged cookie',
    async (test) => ({ Cookie: (await signInCookie(test)).replace(/.{3}$/, 'abc') }),
    'none',
  ],
  [
    'with the cookie of a session that idled out',
    async (test) => {
      const { Cookie } = await signIn(test);
      test.clock.advance(15 * MINUTE);
      return { Cookie };
    },
    'idle',
  ],
  [
    'with the cookie of a session that was signed out',
    async (test) => {
      const { browser, Cookie } = await signIn(test);
      await browser.post('/sign-out').expect(204);
      return { Cookie };
    },
    'signed-out',
  ],
  [
    'of a page of another origin',
    async (test) => ({ Cookie: await signInCookie(test), Origin: 'http://evil.example' }),
    'other-origin',
  ],
];
