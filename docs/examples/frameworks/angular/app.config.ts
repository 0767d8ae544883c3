import type { ApplicationConfig } from '@angular/core';
import { provideIdleSession, withDialog } from 'idle-session-client/angular';

export const appConfig: ApplicationConfig = {
  providers: [provideIdleSession({ path: '/idle-session' }, withDialog())],
};
