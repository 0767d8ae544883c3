import type { ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

/** Whether there is an HTTP request behind the context; there is none behind messages of `rpc` and `ws`. */
export function isHttp(context: ExecutionContext): boolean {
  const type = context.getType<string>();
  return type === 'http' || type === 'graphql';
}

/** The context's request; for GraphQL the one that the server put into its context as `req`. */
export function requestOf(context: ExecutionContext): Request {
  if (context.getType<string>() !== 'graphql') return context.switchToHttp().getRequest<Request>();
  const { req } = context.getArgByIndex<{ req?: Request }>(2) ?? {};
  if (req) return req;
  throw new Error(
    'The GraphQL context has no "req": put the request there, or override getRequest() of IdleSessionGuard and IdleSessionInterceptor.',
  );
}
