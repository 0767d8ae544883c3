import type { ArgumentsHost } from '@nestjs/common';
import type { Request } from 'express';
import { AttachedSocket } from '../session/open/attached-socket.js';

export const UNATTACHED =
  'The socket is not attached to a session. Call IdleSessionService.attach(client, request) in handleConnection() of the gateway, or in onConnect of graphql-ws.';

/** Whether there is an HTTP request behind the context; there is none behind messages of `rpc` and `ws`. */
export function isHttp(context: ArgumentsHost): boolean {
  const type = context.getType<string>();
  return type === 'http' || type === 'graphql';
}

/** Whether the context is that of a message to a gateway. */
export function isMessage(context: ArgumentsHost): boolean {
  return context.getType() === 'ws';
}

/** Whether the request opened a WebSocket; behind a GraphQL operation, that came by the socket then. */
export function isHandshake({ headers }: Request): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * The context's request: for GraphQL the one that the server put into its context as `req`, for a message the handshake
 * of its socket.
 */
export function requestOf(context: ArgumentsHost): Request {
  const request = findRequest(context);
  if (request) return request;
  if (isMessage(context)) throw new Error(UNATTACHED);
  throw new Error(
    'The GraphQL context has no "req": put the request there, or override getRequest() of IdleSessionGuard and IdleSessionInterceptor.',
  );
}

/** As {@link requestOf}, but undefined where there is none. */
export function findRequest(context: ArgumentsHost): Request | undefined {
  if (isMessage(context)) return AttachedSocket.of(context.switchToWs().getClient())?.handshake;
  if (!isHttp(context)) return undefined;
  if (context.getType() === 'http') return context.getArgByIndex<Request>(0);
  return context.getArgByIndex<{ req?: Request } | undefined>(2)?.req;
}
