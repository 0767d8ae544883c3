import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { AttachedSocket } from '../session/open/attached-socket.js';
import { isPassiveRequest, isUnattended } from './passive-request.js';
import { routeMetadataOf } from './route-metadata.js';

/** Whether a request, by its route and by its headers, says that a person did something. */
export function isActivity(
  request: Request,
  context: ExecutionContext,
  reflector: Reflector,
): boolean {
  const { exempt, passive } = routeMetadataOf(context, reflector);
  // Who opened a socket says nothing of its messages: attach() has decided that.
  const isPassive = AttachedSocket.of(request) ? isUnattended : isPassiveRequest;
  return !exempt && !passive && !isPassive(request);
}
