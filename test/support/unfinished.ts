import type { BrowserContext, Disposable } from 'playwright-core';

/** To be asked of a page: how many requests and encryptions it has begun and not yet heard the outcome of. */
export const UNFINISHED = 'window.unfinished ?? 0';

/** Has the pages of a context count for {@link UNFINISHED}. */
export function countUnfinished(context: BrowserContext): Promise<Disposable> {
  return context.addInitScript(() => {
    type Call = (...given: unknown[]) => Promise<unknown>;
    const page = Object.assign(window, { unfinished: 0 });
    const count = (owner: object, name: string) => {
      const methods = owner as Record<string, Call>;
      const own = methods[name]!;
      methods[name] = function (...given) {
        const outcome = own.apply(this, given);
        page.unfinished += 1;
        // Whatever the page does next with the outcome, it begins before another task can ask.
        const finish = () => void (page.unfinished -= 1);
        outcome.then(finish, finish);
        return outcome;
      };
    };
    count(window, 'fetch');
    count(Response.prototype, 'json');
    // There is none in an insecure page.
    if (!isSecureContext) return;
    for (const name of ['importKey', 'encrypt', 'decrypt']) count(SubtleCrypto.prototype, name);
  });
}
