import {
  createParamDecorator,
  SetMetadata,
  type CustomDecorator,
  type ExecutionContext,
} from '@nestjs/common';
import type { IdleSessionStatus } from 'idle-session-client/protocol';
import { requestOf } from './request-of.js';
import { DURATION_TAKES, parseDuration, type Duration } from '../utils/duration.js';
import { valueOf } from '../utils/option-error.js';
import {
  ALLOW_LOCKED,
  ENDS_WITH_SESSION,
  FRESH_SESSION,
  PASSIVE_ROUTE,
  SKIP_IDLE_SESSION,
} from './route-metadata.js';

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
 * Lets requests of locked sessions in on a route or a controller: on the one that unlocks, and the one that signs out. They
 * count as no activity until `IdleSessionService.unlock()` was called. Requests of sessions that have ended are refused.
 *
 * @example
 * \@AllowLocked()
 * \@Post('unlock')
 */
export const AllowLocked = (): CustomDecorator => SetMetadata(ALLOW_LOCKED, true);

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
 * Asks for a fresh proof on a route or a controller: the person signed in or confirmed no longer ago than this. Other
 * requests, anonymous ones too, get 401 with the reason `confirm`; a page navigation goes to `confirmUrl`. A route's own
 * duration counts, not that of its controller.
 *
 * @throws {TypeError} for what is no duration
 *
 * @example
 * \@FreshSession('5m')
 * \@Post('email')
 */
export function FreshSession(maxAge: Duration): CustomDecorator {
  const freshForMs = parseDuration(maxAge);
  if (freshForMs === undefined)
    throw new TypeError(`@FreshSession() got ${valueOf(maxAge)}; it takes ${DURATION_TAKES}.`);
  return SetMetadata(FRESH_SESSION, freshForMs);
}

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
