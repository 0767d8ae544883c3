import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { PASSIVE_ROUTE, SKIP_IDLE_SESSION } from './idle-session.decorators.js';
import { isPassiveRequest } from './passive-request.js';

/** Whether a request, by its route and by its own word, says that a person did something. */
export function isActivity(
  request: Request,
  context: ExecutionContext,
  reflector: Reflector,
): boolean {
  const targets = [context.getHandler(), context.getClass()];
  const exempt = reflector.getAllAndOverride<unknown>(SKIP_IDLE_SESSION, targets);
  const passive = reflector.getAllAndOverride<unknown>(PASSIVE_ROUTE, targets);
  return !exempt && !passive && !isPassiveRequest(request);
}
