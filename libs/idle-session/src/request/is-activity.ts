import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { AttachedSocket } from '../session/open/attached-socket.js';
import { isPassiveRequest, isUnattended } from './passive-request.js';
import { routeMetadataOf } from './route-metadata.js';

/** What `graphql` tells a resolver of its field. */
interface ResolveInfo {
  readonly operation?: { readonly operation: string };
  readonly path?: { readonly prev: object | undefined };
}

/**
 * Whether a request, by its route and by its headers, says that a person did something.
 * @param origins the origins of pages beside the app's own
 */
export function isActivity(
  request: Request,
  context: ExecutionContext,
  reflector: Reflector,
  origins: readonly string[],
): boolean {
  const { exempt, passive } = routeMetadataOf(context, reflector);
  // Who opened a socket says nothing of its messages: attach() has decided that.
  const isPassive = AttachedSocket.of(request)
    ? isUnattended(request)
    : isPassiveRequest(request, origins);
  return !exempt && !passive && !isPassive && !isPushed(context);
}

/**
 * Whether the context is that of a field in what a GraphQL subscription sends: with `fieldResolverEnhancers` of Nest, each
 * of these passes the guard and the interceptor. What the server sends is no activity.
 */
function isPushed(context: ExecutionContext): boolean {
  if (context.getType<string>() !== 'graphql') return false;
  const info = context.getArgByIndex<ResolveInfo | undefined>(3);
  return info?.operation?.operation === 'subscription' && info.path?.prev !== undefined;
}
