import { Injectable, type OnModuleInit } from '@nestjs/common';
import { IdleSessionService } from 'nestjs-idle-session';

// #region events
@Injectable()
export class SessionMetrics implements OnModuleInit {
  readonly counts = new Map<string, number>();

  constructor(private readonly sessions: IdleSessionService) {}

  onModuleInit(): void {
    this.sessions.events.subscribe((event) => {
      // The process that decided counts it.
      if (event.cause === 'elsewhere') return;
      const name = 'reason' in event ? `${event.type}:${event.reason}` : event.type;
      this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    });
  }
}
// #endregion events
