import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { PASSIVE_ROUTE, SKIP_IDLE_SESSION } from './idle-session.decorators.js';

/** What the decorators on a route, or else on its controller, say. */
export interface RouteMarks {
  /** `'status'`: exempt, but no page that could tell a person anything. */
  readonly exempt: true | 'status' | undefined;
  readonly passive: boolean;
}

/** Read once for each route: decorators do not change while an app runs, and reading them takes its time. */
const known = new WeakMap<Function, WeakMap<Function, RouteMarks>>();

export function marksOf(context: ExecutionContext, reflector: Reflector): RouteMarks {
  const [handler, controller] = [context.getHandler(), context.getClass()];
  let ofHandler = known.get(handler);
  if (!ofHandler) known.set(handler, (ofHandler = new WeakMap()));
  let marks = ofHandler.get(controller);
  if (!marks) {
    const targets = [handler, controller];
    marks = {
      exempt: reflector.getAllAndOverride<RouteMarks['exempt']>(SKIP_IDLE_SESSION, targets),
      passive: Boolean(reflector.getAllAndOverride<unknown>(PASSIVE_ROUTE, targets)),
    };
    ofHandler.set(controller, marks);
  }
  return marks;
}
