import { Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { IdleSessionModule } from 'nestjs-idle-session';

declare module 'express-session' {
  interface SessionData {
    user?: string;
    role?: string;
  }
}

const secret = process.env.SESSION_SECRET ?? 'at least sixteen characters';

@Module({
  imports: [
    // #region for-root
    IdleSessionModule.forRoot({
      idleTimeout: '15m',
      absoluteTimeout: '12h',
      warnBefore: '2m',
      session: { secret },
      loginUrl: '/login',
    }),
    // #endregion for-root
  ],
})
export class WithOptions {}

@Module({
  imports: [
    // #region for-root-async
    IdleSessionModule.forRootAsync({
      imports: [ConfigModule.forRoot()],
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        session: { secret: config.getOrThrow<string>('SESSION_SECRET') },
        loginUrl: '/login',
      }),
      path: 'idle-session',
    }),
    // #endregion for-root-async
  ],
})
export class WithFactory {}

@Module({
  imports: [
    IdleSessionModule.forRoot({
      session: { secret },
      // #region per-role
      idleTimeout: (request) => (request.session.role === 'admin' ? '10m' : '15m'),
      // #endregion per-role
      // #region absolute-per-role
      absoluteTimeout: (request) => (request.session.role === 'admin' ? '4h' : '12h'),
      // #endregion absolute-per-role
      // #region applies-to
      appliesTo: (request) => request.session.user !== undefined,
      // #endregion applies-to
      // #region origins
      origins: ['https://app.example.com', 'https://admin.example.com'],
      // #endregion origins
      // #region owner-of
      ownerOf: (request) => request.session.user,
      // #endregion owner-of
      // #region describe
      describe: (request) => ({ browser: (request.get('User-Agent') ?? '').slice(0, 200) }),
      // #endregion describe
      // #region max-sessions
      maxSessions: (request) => (request.session.role === 'kiosk' ? Infinity : 3),
      // #endregion max-sessions
    }),
  ],
})
export class WithFunctions {}

@Module({
  imports: [
    IdleSessionModule.forRoot({
      session: { secret },
      // #region lock-after
      idleTimeout: '1h',
      lockAfter: (request) => (request.session.role === 'kiosk' ? '2m' : '15m'),
      // #endregion lock-after
    }),
  ],
})
export class WithLock {}

const [newSecret, oldSecret] = [
  'the secret that signs from today on',
  'the secret until yesterday',
];

@Module({
  imports: [
    IdleSessionModule.forRoot({
      // #region secrets
      session: { secret: [newSecret, oldSecret] },
      // #endregion secrets
    }),
  ],
})
export class WithTwoSecrets {}
