import {
  afterNextRender,
  computed,
  DestroyRef,
  ENVIRONMENT_INITIALIZER,
  inject,
  InjectionToken,
  Injector,
  makeEnvironmentProviders,
  NgZone,
  PLATFORM_ID,
  signal,
  type EnvironmentProviders,
  type Signal,
} from '@angular/core';
import type { IdleSessionOptions } from '../session/idle-session-options.js';
import { actions, idleSession, type SessionActions } from '../session/page-session.js';
import { STARTING, type IdleSessionState } from '../session/state.js';

/** A signal for each field of the state, and what can be done with the session. */
export type IdleSessionSignals = {
  readonly [Field in keyof IdleSessionState]: Signal<IdleSessionState[Field]>;
} & SessionActions;

/** Runs in the browser when the app starts; returns what to do when it is destroyed. */
export type IdleSessionFeature = () => () => void;

const SESSION = new InjectionToken<IdleSessionSignals>('the idle session');

/**
 * For the providers of the app: the session of the page starts with the app, and is destroyed with it. On a server, and
 * until the first rendering, it is `starting`: so the page is hydrated with what the server rendered.
 */
export function provideIdleSession(
  options: IdleSessionOptions = {},
  ...features: IdleSessionFeature[]
): EnvironmentProviders {
  return makeEnvironmentProviders([
    { provide: SESSION, useFactory: () => start(options, features) },
    { provide: ENVIRONMENT_INITIALIZER, multi: true, useValue: () => void inject(SESSION) },
  ]);
}

/**
 * The session of the page, where Angular injects.
 *
 * @throws if the app does not provide it
 */
export function injectIdleSession(): IdleSessionSignals {
  const session = inject(SESSION, { optional: true });
  if (session) return session;
  throw new Error('injectIdleSession() needs provideIdleSession() in the providers of the app');
}

function start(options: IdleSessionOptions, features: IdleSessionFeature[]): IdleSessionSignals {
  const current = signal(STARTING);
  const zone = inject(NgZone);
  const destroyRef = inject(DestroyRef);
  const update = () => zone.run(() => current.set(idleSession.getState()));
  const show = () => {
    for (const run of [() => idleSession.subscribe(update), ...features]) {
      destroyRef.onDestroy(run());
    }
    update();
  };

  idleSession.configure(options);
  if (inject(PLATFORM_ID) === 'browser') {
    afterNextRender(outside(zone, show), { injector: inject(Injector) });
  }

  const fields = Object.keys(STARTING) as (keyof IdleSessionState)[];
  return Object.fromEntries([
    ...fields.map((field) => [field, computed(() => current()[field])]),
    ...Object.entries({ ...actions }).map(([name, act]) => [name, outside(zone, act)]),
  ]) as IdleSessionSignals;
}

/** In the zone, the timers of the session would keep the app from ever becoming stable. */
function outside(zone: NgZone, act: (...args: never[]) => unknown): typeof act {
  return (...args) => {
    const result = zone.runOutsideAngular(() => act(...args));
    // How to release a hold.
    return typeof result === 'function' ? outside(zone, result as typeof act) : result;
  };
}
