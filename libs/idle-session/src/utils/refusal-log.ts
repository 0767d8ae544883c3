import type { Request } from 'express';
import type { OtherOrigin } from './same-origin.js';

/** The longest part of a request that a line repeats. */
const LOGGED_LENGTH = 100;

/** How long nothing more is said of a kind: anybody can send what is refused, and as often as they like. */
const SAID_FOR_MS = 3_600_000;

/** What JSON leaves as it is, and a terminal may take for a command or a new line. */
const CONTROLS = /[\u007f-\u009f\u2028\u2029]/g;

/** What the log writes to; Nest's `Logger` fits. */
interface Logger {
  warn(message: string): void;
}

/** Logs that requests of other origins were refused: each kind once an hour, so that a refusal by mistake is found. */
export class RefusalLog {
  private readonly saidAt = new Map<OtherOrigin, number>();

  constructor(private readonly logger: Logger) {}

  /**
   * @param what the module refused: the line begins with it
   * @param more what else the app can do about it
   */
  refused(what: string, request: Request, kind: OtherOrigin, more = ''): void {
    const saidAt = this.saidAt.get(kind) ?? -Infinity;
    if (performance.now() - saidAt < SAID_FOR_MS) return;
    this.saidAt.set(kind, performance.now());
    this.logger.warn(
      `${what.slice(0, LOGGED_LENGTH)} was refused: ${explain(request, kind)}${more}`,
    );
  }
}

function explain(request: Request, kind: OtherOrigin): string {
  const origin = quoted(request.get('Origin'));
  switch (kind) {
    case 'site':
      return (
        'the browser says that it comes from another origin (Sec-Fetch-Site: ' +
        `${quoted(request.get('Sec-Fetch-Site'))}, Origin: ${origin}). If the page is yours, name its origin in the ` +
        'option "origins".'
      );
    case 'host':
      return (
        `its Origin is ${origin}, but it came to ${quoted(`${request.protocol}://${request.host}`)}. If a proxy changed ` +
        'one of them, let it pass on both: Origin, and Host or X-Forwarded-Host. Tell Express to trust it: ' +
        'app.set(\'trust proxy\', 1). If the page is yours, name its origin in the option "origins".'
      );
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
