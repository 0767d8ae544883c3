import type { Request } from 'express';

/**
 * Whether a request says of itself that nobody is behind it: a stream that stays open, a page fetched ahead of time,
 * or one that carries `Idle-Session: passive`. A header can only withhold activity, never claim it.
 */
export function isPassiveRequest(request: Request): boolean {
  return (
    mentions(request.get('Idle-Session'), 'passive') ||
    mentions(request.get('Sec-Purpose'), 'prefetch') ||
    mentions(request.get('Accept'), 'text/event-stream')
  );
}

function mentions(header: string | undefined, token: string): boolean {
  return (
    header !== undefined &&
    header
      .toLowerCase()
      .split(/[\s,;]+/)
      .includes(token)
  );
}
