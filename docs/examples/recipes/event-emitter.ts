import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { EventEmitter2, OnEvent } from '@nestjs/event-emitter';
import { IdleSessionService, type IdleSessionEvent } from 'nestjs-idle-session';

// #region forward
@Injectable()
export class SessionEventForwarder implements OnApplicationBootstrap {
  constructor(
    private readonly sessions: IdleSessionService,
    private readonly emitter: EventEmitter2,
  ) {}

  onApplicationBootstrap(): void {
    this.sessions.events.subscribe((event) => this.emitter.emit(`session.${event.type}`, event));
  }
}
// #endregion forward

// #region listen
@Injectable()
export class ClaimEditors {
  /** The session that edits a claim, as events name it, by the number of the claim. */
  readonly editors = new Map<number, string>();

  @OnEvent('session.expired')
  @OnEvent('session.ended')
  release({ sessionRef }: IdleSessionEvent): void {
    for (const [claim, editor] of this.editors)
      if (editor === sessionRef) this.editors.delete(claim);
  }
}
// #endregion listen
