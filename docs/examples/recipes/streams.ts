import { Controller, Sse, type MessageEvent } from '@nestjs/common';
import { IdleSession, IdleSessionService, type IdleSessionStatus } from 'nestjs-idle-session';
import { filter, interval, map, merge, takeUntil, timer, type Observable } from 'rxjs';

// #region stream
@Controller('prices')
export class PricesController {
  constructor(private readonly sessions: IdleSessionService) {}

  @Sse()
  prices(@IdleSession() { sessionRef }: IdleSessionStatus): Observable<MessageEvent> {
    const ended = this.sessions.events.pipe(
      filter((event) => event.type !== 'started' && event.sessionRef === sessionRef),
    );
    return interval(1000).pipe(
      map((count) => ({ data: { price: 100 + count } })),
      // The browser connects again after a minute, and the guard looks at the session again.
      takeUntil(merge(ended, timer(60_000))),
    );
  }
}
// #endregion stream
