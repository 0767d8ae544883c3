import {
  Inject,
  Injectable,
  Module,
  type FactoryProvider,
  type OnModuleInit,
} from '@nestjs/common';
import { IdleSessionService, type IdleSessionEvent } from 'nestjs-idle-session';
import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';

// #region audit
const AUDIT_LOG = Symbol('audit log');

@Injectable()
export class SessionAudit implements OnModuleInit {
  constructor(
    private readonly sessions: IdleSessionService,
    @Inject(AUDIT_LOG) private readonly log: Logger,
  ) {}

  onModuleInit(): void {
    this.sessions.events.subscribe((event) => {
      // The process that ended the session has a line of its own.
      if (event.cause !== 'elsewhere') this.log.info(entryOf(event));
    });
  }
}

// Each field by its name: `owner` says who it is, and stays out of the log.
function entryOf({ type, at, startedAt, lastActivityAt, ...event }: IdleSessionEvent) {
  return {
    event: `session.${type}`,
    at: isoTime(at),
    session: event.sessionRef,
    owner: event.ownerHash,
    startedAt: isoTime(startedAt),
    lastActivityAt: isoTime(lastActivityAt),
    cause: event.cause,
    reason: 'reason' in event ? event.reason : undefined,
    endedBy: 'endedBy' in event ? event.endedBy : undefined,
  };
}

const isoTime = (time: number | null) => (time === null ? null : new Date(time).toISOString());

export const auditLogTo = (destination: DestinationStream): FactoryProvider<Logger> => ({
  provide: AUDIT_LOG,
  useFactory: () => pino({ base: null, timestamp: stdTimeFunctions.isoTime }, destination),
});
// #endregion audit

// #region module
@Module({
  // Standard output, line by line: nothing waits in a buffer while the process dies.
  providers: [SessionAudit, auditLogTo(pino.destination(1))],
})
export class AuditModule {}
// #endregion module
