import {
  applyDecorators,
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { SignedInGuard, SignInRequiredException } from './signed-in.guard.js';

/** Pages for signed-in people; everybody else is sent to sign in, and back here afterwards. */
export const SignedInPage = () =>
  applyDecorators(UseGuards(SignedInGuard), UseFilters(SignInRedirectFilter));

@Catch(SignInRequiredException)
class SignInRedirectFilter implements ExceptionFilter {
  catch(_exception: SignInRequiredException, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const { method, originalUrl } = http.getRequest<Request>();
    const query = method === 'GET' ? `?${new URLSearchParams({ returnTo: originalUrl })}` : '';
    http.getResponse<Response>().redirect(303, `/login${query}`);
  }
}
