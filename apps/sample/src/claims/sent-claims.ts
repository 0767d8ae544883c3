import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { filter, map, type Observable, Subject } from 'rxjs';
import type { SentClaim } from './sent-claim.js';

/** Tells of claims as they are sent, in this process; between processes, a real app would have a message broker. */
@Injectable()
export class SentClaims implements OnModuleDestroy {
  private readonly sent = new Subject<{ userId: string; claim: SentClaim }>();

  add(userId: string, claim: SentClaim): void {
    this.sent.next({ userId, claim });
  }

  of(userId: string): Observable<SentClaim> {
    return this.sent.pipe(
      filter((sent) => sent.userId === userId),
      map(({ claim }) => claim),
    );
  }

  // Nest waits for open responses before it stops.
  onModuleDestroy(): void {
    this.sent.complete();
  }
}
