import { applyDecorators, UseGuards, UseInterceptors } from '@nestjs/common';
import { IdleSessionGuard } from './idle-session.guard.js';
import { IdleSessionInterceptor } from './idle-session.interceptor.js';

/**
 * Puts the guard and the interceptor on a gateway, where Nest runs no global ones: messages of sockets that are not
 * attached, or whose session has ended, are refused; others count as activity.
 *
 * @example
 * \@IdleSessionGateway()
 * \@WebSocketGateway()
 */
export const IdleSessionGateway = (): ClassDecorator =>
  applyDecorators(UseGuards(IdleSessionGuard), UseInterceptors(IdleSessionInterceptor));
