import {
  createParamDecorator,
  SetMetadata,
  type CustomDecorator,
  type ExecutionContext,
} from '@nestjs/common';
import type { IdleSessionStatus } from '../session/idle-session.status.js';
import { requestOf } from './request-of.js';

/** @internal */
export const SKIP_IDLE_SESSION = 'idle-session:skip';
/** @internal */
export const PASSIVE_ROUTE = 'idle-session:passive';

/**
 * Exempts a route or a controller: its requests are never rejected and never count as activity. Whoever has a session
 * that ended comes as a stranger; `request.idleSession` still tells why. For login pages, health checks, public files.
 *
 * @example
 * \@SkipIdleSession()
 * \@Get('login')
 */
export const SkipIdleSession = (): CustomDecorator => SetMetadata(SKIP_IDLE_SESSION, true);

/**
 * Marks a route or a controller as passive: its requests are checked, but are not activity. For what a page asks by
 * itself, such as polling.
 *
 * @example
 * \@PassiveRoute()
 * \@Get('notifications')
 */
export const PassiveRoute = (): CustomDecorator => SetMetadata(PASSIVE_ROUTE, true);

/**
 * Injects the {@link IdleSessionStatus} of the request into a handler's parameter; undefined on an exempt route while
 * the storage does not answer.
 *
 * @example
 * \@Get()
 * dashboard(@IdleSession() status: IdleSessionStatus) {}
 */
export const IdleSession = createParamDecorator(
  (_: unknown, context: ExecutionContext): IdleSessionStatus | undefined =>
    requestOf(context).idleSession,
);
