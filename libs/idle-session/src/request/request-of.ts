import type { ArgumentsHost } from '@nestjs/common';
import type { Request } from 'express';

/** Whether there is an HTTP request behind the context; there is none behind messages of `rpc` and `ws`. */
export function isHttp(context: ArgumentsHost): boolean {
  const type = context.getType<string>();
  return type === 'http' || type === 'graphql';
}

/** The context's request; for GraphQL the one that the server put into its context as `req`. */
export function requestOf(context: ArgumentsHost): Request {
  const request = findRequest(context);
  if (request) return request;
  throw new Error(
    'The GraphQL context has no "req": put the request there, or override getRequest() of IdleSessionGuard and IdleSessionInterceptor.',
  );
}

/** As {@link requestOf}, but undefined where there is none. */
export function findRequest(context: ArgumentsHost): Request | undefined {
  if (!isHttp(context)) return undefined;
  if (context.getType<string>() !== 'graphql') return context.switchToHttp().getRequest<Request>();
  return context.getArgByIndex<{ req?: Request } | undefined>(2)?.req;
}
