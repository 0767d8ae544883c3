import {
  createParamDecorator,
  SetMetadata,
  type CustomDecorator,
  type ExecutionContext,
} from '@nestjs/common';
import type { IdleSessionStatus } from 'idle-session-client/protocol';
import { requestOf } from './request-of.js';
import { ENDS_WITH_SESSION, PASSIVE_ROUTE, SKIP_IDLE_SESSION } from './route-metadata.js';

/**
 * Exempts a route or a controller: its requests are never refused and never count as activity. A request whose session
 * has ended is treated as anonymous: `request.session` is empty, and `request.idleSession` still tells why. For login
 * pages, health checks, public files.
 *
 * @example
 * \@SkipIdleSession()
 * \@Get('login')
 */
export const SkipIdleSession = (): CustomDecorator => SetMetadata(SKIP_IDLE_SESSION, true);

/**
 * Marks a route or a controller as passive: its requests are checked, but do not count as activity. For what a page
 * requests by itself, such as polling.
 *
 * @example
 * \@PassiveRoute()
 * \@Get('notifications')
 */
export const PassiveRoute = (): CustomDecorator => SetMetadata(PASSIVE_ROUTE, true);

/**
 * Cuts off the answers of a route or a controller when their session ends: long downloads, and streams of another type
 * than `text/event-stream`, which end by themselves. A request that was not answered by then gets 401 with the reason.
 *
 * @example
 * \@EndsWithSession()
 * \@Get('statement.pdf')
 */
export const EndsWithSession = (): CustomDecorator => SetMetadata(ENDS_WITH_SESSION, true);

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
