import type { Request } from 'express';
import type { OtherOrigin } from './same-origin.js';

/** The longest part of a request that a line repeats. */
const LOGGED_LENGTH = 100;

const HOUR_MS = 3_600_000;

/** The most lines in an hour: anybody can send what is refused, and name as many origins as they like. */
const MOST_LINES = 10;

/** What JSON leaves as it is, and a terminal may take for a command or a new line. */
const CONTROLS = /[\u007f-\u009f\u2028\u2029]/g;

/** What the log writes to; Nest's `Logger` fits. */
interface Logger {
  warn(message: string): void;
}

/**
 * Logs that requests of other origins were refused, so that a refusal by mistake is found: each kind and origin once an
 * hour.
 */
export class RefusalLog {
  private readonly logged = new Set<string>();
  private hourBeganAt = -Infinity;

  constructor(private readonly logger: Logger) {}

  /**
   * @param what the module refused: the line begins with it
   * @param more what else the app can do where the page is its own
   */
  refused(what: string, request: Request, kind: OtherOrigin, more = ''): void {
    if (!this.isNew(`${kind} ${quoted(request.get('Origin'))}`)) return;
    this.logger.warn(
      `${what.slice(0, LOGGED_LENGTH)} was refused: ${explain(request, kind, more)}`,
    );
  }

  private isNew(refusal: string): boolean {
    const now = performance.now();
    if (now - this.hourBeganAt >= HOUR_MS) {
      this.hourBeganAt = now;
      this.logged.clear();
    }
    if (this.logged.has(refusal) || this.logged.size === MOST_LINES) return false;
    this.logged.add(refusal);
    return true;
  }
}

function explain(request: Request, kind: OtherOrigin, more: string): string {
  const origin = quoted(request.get('Origin'));
  const nameIt = `If the page is yours, name its origin in the option "origins".${more}`;
  switch (kind) {
    case 'site':
      return (
        'the browser says that it comes from another origin (Sec-Fetch-Site: ' +
        `${quoted(request.get('Sec-Fetch-Site'))}, Origin: ${origin}). ${nameIt}`
      );
    case 'unnamed':
      return (
        `its Origin is ${origin}, which names no origin. So it is for a page from a file or in a sandbox, and for one on ` +
        'plain http that has "Referrer-Policy: no-referrer".'
      );
    case 'host':
      return (
        `its Origin is ${origin}, but it came to ${quoted(`${request.protocol}://${request.host}`)}. If a proxy changed ` +
        'one of them, let it pass on both: Origin, and Host or X-Forwarded-Host. Tell Express to trust it: ' +
        `app.set('trust proxy', 1). ${nameIt}`
      );
    case 'http':
      return `it came by https, but the page is on plain http: its Origin is ${origin}. Serve the page on https, too.`;
    case 'listed':
      return (
        `the option "origins" lists ${origin}, but the browser says that it is of another site than ` +
        `${quoted(request.host)} (Sec-Fetch-Site: "cross-site"). Browsers send the session cookie only within one site: ` +
        'put both hosts under one registrable domain, and both on https.'
      );
  }
}

function quoted(header: string | undefined): string {
  const text = JSON.stringify((header ?? '').slice(0, LOGGED_LENGTH));
  return text.replace(
    CONTROLS,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
