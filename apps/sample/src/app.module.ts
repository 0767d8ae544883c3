import {
  type DynamicModule,
  type MiddlewareConsumer,
  Module,
  type NestModule,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { IdleSessionModule } from 'nestjs-idle-session';
import { EmailController } from './account/email.controller.js';
import { AuthController } from './auth/auth.controller.js';
import { CONFIRM_URL } from './auth/confirm-page.js';
import { ConfirmController } from './auth/confirm.controller.js';
import { MeController } from './auth/me.controller.js';
import { UNLOCK_URL } from './auth/unlock-page.js';
import { UnlockController } from './auth/unlock.controller.js';
import { UnlockTries } from './auth/unlock-tries.js';
import { Users } from './auth/users.js';
import { ClaimsController } from './claims/claims.controller.js';
import { SentClaims } from './claims/sent-claims.js';
import { DashboardController } from './dashboard/dashboard.controller.js';
import { browserInWords } from './devices/browser-in-words.js';
import { DevicesController } from './devices/devices.controller.js';
import { ErrorPageFilter } from './error-page.filter.js';
import { HealthController } from './health.controller.js';
import { noStore } from './no-store.js';
import { NotificationsController } from './notifications/notifications.controller.js';
import { SessionBacking } from './sessions/session-backing.js';
import { SessionsModule } from './sessions/sessions.module.js';
import type { Settings } from './settings.js';

@Module({
  controllers: [
    AuthController,
    ConfirmController,
    UnlockController,
    MeController,
    DashboardController,
    ClaimsController,
    DevicesController,
    EmailController,
    NotificationsController,
    HealthController,
  ],
  providers: [Users, UnlockTries, SentClaims, { provide: APP_FILTER, useClass: ErrorPageFilter }],
})
export class AppModule implements NestModule {
  static register(settings: Settings, backing?: SessionBacking): DynamicModule {
    return {
      module: AppModule,
      imports: [
        IdleSessionModule.forRootAsync({
          imports: [SessionsModule.register(settings.redisUrl, backing)],
          inject: [SessionBacking],
          useFactory: ({ store, storage }: SessionBacking) => ({
            idleTimeout: settings.idleTimeout,
            warnBefore: settings.warnBefore,
            absoluteTimeout: settings.absoluteTimeout,
            lockAfter: settings.lockAfter,
            storageTimeout: settings.storageTimeout,
            session: { secret: settings.sessionSecret, store },
            storage,
            loginUrl: '/login',
            confirmUrl: CONFIRM_URL,
            unlockUrl: UNLOCK_URL,
            ownerOf: (request) => request.session.user?.id,
            describe: (request) => ({ browser: browserInWords(request.get('User-Agent')) }),
            maxSessions: settings.maxSessions,
          }),
        }),
      ],
    };
  }

  configure(consumer: MiddlewareConsumer): void {
    consumer
      .apply(noStore)
      .forRoutes(
        AuthController,
        ConfirmController,
        UnlockController,
        MeController,
        DashboardController,
        ClaimsController,
        DevicesController,
        EmailController,
        NotificationsController,
      );
  }
}
