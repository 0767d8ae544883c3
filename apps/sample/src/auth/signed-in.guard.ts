import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import type { Request } from 'express';

export class SignInRequiredException extends UnauthorizedException {
  constructor() {
    super('You are not signed in.');
  }
}

/**
 * Who may see what, the app's own question, beside the library's "is this session still alive?".
 *
 * The order matters: Nest runs the library's global guard first and a controller's guards after it, so whoever was
 * signed out has been told why before this guard could only say "not signed in".
 */
@Injectable()
export class SignedInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { session } = context.switchToHttp().getRequest<Request>();
    if (session?.user) return true;
    throw new SignInRequiredException();
  }
}
