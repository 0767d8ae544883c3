import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { isPassiveRequest } from './passive-request.js';
import { routeMetadataOf } from './route-metadata.js';

/** Whether a request, by its route and by its headers, says that a person did something. */
export function isActivity(
  request: Request,
  context: ExecutionContext,
  reflector: Reflector,
): boolean {
  const { exempt, passive } = routeMetadataOf(context, reflector);
  return !exempt && !passive && !isPassiveRequest(request);
}
