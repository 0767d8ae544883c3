import { Controller, Get, Sse, StreamableFile, type MessageEvent } from '@nestjs/common';
import { EndsWithSession, IdleSessionService } from 'nestjs-idle-session';
import type { Request, Response } from 'express';
import { interval, map, type Observable } from 'rxjs';
import { Readable } from 'node:stream';

/** Stands for pages that take a while to make. */
async function* pagesOf(text: string) {
  yield text;
}

// #region events
@Controller('prices')
export class PricesController {
  @Sse()
  prices(): Observable<MessageEvent> {
    return interval(1000).pipe(map((count) => ({ data: { price: 100 + count } })));
  }
}
// #endregion events

// #region marked
@Controller('statements')
export class StatementsController {
  @Get('all')
  @EndsWithSession()
  all() {
    return new StreamableFile(Readable.from(pagesOf('a statement')), { type: 'text/csv' });
  }
}
// #endregion marked

/** Express middleware behind `protect()` that sends what it is given. */
export function sending(sessions: IdleSessionService, begin: (response: Response) => void) {
  // #region chosen
  return (request: Request, response: Response) => {
    if (request.query.follow === 'true') sessions.endWithSession(request);
    begin(response);
  };
  // #endregion chosen
}
