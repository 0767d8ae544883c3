import { DestroyRef, inject, Injectable, NgZone, signal } from '@angular/core';
import { createIdleSession } from 'idle-session-client';

@Injectable({ providedIn: 'root' })
export class SessionService {
  // With zone.js, its timers would otherwise keep the app from ever becoming stable.
  readonly #session = inject(NgZone).runOutsideAngular(() => createIdleSession());
  readonly #state = signal(this.#session.getState());

  readonly state = this.#state.asReadonly();
  readonly extend = this.#session.extend;
  readonly hold = this.#session.hold;

  constructor() {
    this.#session.subscribe(() => this.#state.set(this.#session.getState()));
    inject(DestroyRef).onDestroy(() => this.#session.destroy());
  }
}
