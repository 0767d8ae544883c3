import type { Response } from 'express';
import { withholdSession } from '../withheld-session.js';

/** How long the last bytes may take to their client. */
const LAST_BYTES_TAKE_MS = 1000;

/** What a handler may call on a response that has not begun, besides writing to it. */
const HEADER_METHODS = [
  'setHeader',
  'setHeaders',
  'appendHeader',
  'removeHeader',
  'writeHead',
] as const;

/** Beside others, perhaps: of several, browsers take the last that they understand. */
const EVENT_STREAM = /(^|,)\s*text\/event-stream\s*([;,]|$)/i;

/** Whether a response's `Content-Type` says so, in any form that Node takes for a header. */
export function isEventStream(response: Response): boolean {
  return EVENT_STREAM.test(String(response.getHeader('Content-Type')));
}

/**
 * Closes the connection of a response with it; for one that has not begun. Nest takes what a handler emits for as long as
 * the connection is open.
 */
export function closeConnectionAfter(response: Response): void {
  // HTTP/2 has no connection for each response.
  if (response.req.httpVersionMajor < 2) response.setHeader('Connection', 'close');
}

/**
 * Ends a stream of events that has begun. Nothing that its handler writes afterwards is delivered.
 * @param lastEvent written before the end
 */
export function endEventStream(response: Response, lastEvent: string | undefined): void {
  // A message without its end would swallow the event.
  if (lastEvent !== undefined) response.write(`\n\n${lastEvent}`);
  ignoreWrites(response);
  endWithoutSaving(response);
}

/** Lets a handler go on that answers although another answer was given in its place. */
export function ignoreAnswer(response: Response): void {
  for (const method of HEADER_METHODS)
    Object.defineProperty(response, method, { value: () => response, configurable: true });
  ignoreWrites(response);
}

/** Cuts the connection of a client that does not read what was sent to it, unless it does so soon. */
export function limitLastBytes(response: Response): void {
  const timer = setTimeout(() => response.destroy(), LAST_BYTES_TAKE_MS).unref();
  response.once('close', () => clearTimeout(timer));
}

/** express-session would end the response only after it has saved the session. */
function endWithoutSaving(response: Response): void {
  const { req: request } = response;
  const { session } = request;
  withholdSession(request);
  response.end();
  // The handler may go on, and use it.
  Object.assign(request, { session });
}

/** The handler fares as if its client had left. */
function ignoreWrites(response: Response): void {
  response.write = (...given: unknown[]) => {
    const done = given.at(-1);
    if (typeof done === 'function') process.nextTick(done, new Error('The session has ended'));
    return false;
  };
  // Such as that of a middleware in front, which took the method of the response before this.
  response.on('error', () => {});
}
