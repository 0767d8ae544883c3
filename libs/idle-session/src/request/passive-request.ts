import type { Request } from 'express';

/**
 * Whether a request says of itself that nobody is behind it: a stream that stays open, a page fetched ahead of time,
 * or one that carries `Idle-Session: passive`. A header can only withhold activity, never claim it.
 */
export function isPassiveRequest({ headers }: Request): boolean {
  return (
    mentions(headers['idle-session'], 'passive') ||
    mentions(headers['sec-purpose'], 'prefetch') ||
    mentions(headers.accept, 'text/event-stream')
  );
}

function mentions(header: string | string[] | undefined, token: string): boolean {
  if (header === undefined) return false;
  const value = String(header).toLowerCase();
  return value.includes(token) && value.split(/[\s,;]+/).includes(token);
}
