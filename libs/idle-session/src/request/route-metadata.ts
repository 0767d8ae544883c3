import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';

/** Metadata keys of the decorators. */
export const SKIP_IDLE_SESSION = 'idle-session:skip';
export const PASSIVE_ROUTE = 'idle-session:passive';
export const ENDS_WITH_SESSION = 'idle-session:ends-with-session';
export const ALLOW_LOCKED = 'idle-session:allow-locked';
export const FRESH_SESSION = 'idle-session:fresh-session';

/** What the decorators on a route, or else on its controller, say. */
export interface RouteMetadata {
  /** Its requests are never refused and never count as activity. */
  readonly exempt: boolean;
  /** Its requests are checked, but do not count as activity. */
  readonly passive: boolean;
  /** Its answers end when their session ends. */
  readonly endsWithSession: boolean;
  /** Its requests are let in while their session is locked. */
  readonly allowsLocked: boolean;
  /** How old the person's proof of who they are may be; undefined: as old as the session. */
  readonly freshForMs: number | undefined;
}

/** Read once for each route: decorators do not change while an app runs, and reading them takes time. */
const byHandler = new WeakMap<Function, WeakMap<Function, RouteMetadata>>();

export function routeMetadataOf(context: ExecutionContext, reflector: Reflector): RouteMetadata {
  const handler = context.getHandler();
  const controller = context.getClass();
  let byController = byHandler.get(handler);
  if (!byController) byHandler.set(handler, (byController = new WeakMap()));
  let metadata = byController.get(controller);
  if (!metadata) {
    const has = (key: string) =>
      Boolean(reflector.getAllAndOverride<unknown>(key, [handler, controller]));
    metadata = {
      exempt: has(SKIP_IDLE_SESSION),
      passive: has(PASSIVE_ROUTE),
      endsWithSession: has(ENDS_WITH_SESSION),
      allowsLocked: has(ALLOW_LOCKED),
      freshForMs: reflector.getAllAndOverride<number | undefined>(FRESH_SESSION, [
        handler,
        controller,
      ]),
    };
    byController.set(controller, metadata);
  }
  return metadata;
}
