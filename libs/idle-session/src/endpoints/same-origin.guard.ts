import {
  ForbiddenException,
  Injectable,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import type { Request } from 'express';

/**
 * Refuses what another site makes a browser send (NIST SP 800-63B-4: POSTs verified against CSRF). Browsers say where a
 * request comes from; one that says nothing is not a browser's.
 */
@Injectable()
export class SameOriginGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (isSameOrigin(context.switchToHttp().getRequest<Request>())) return true;
    throw new ForbiddenException('This request comes from another site.');
  }
}

function isSameOrigin(request: Request): boolean {
  const site = request.get('Sec-Fetch-Site');
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const origin = request.get('Origin');
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === request.host.replace(/:(80|443)$/, '');
}
