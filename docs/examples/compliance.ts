import { Controller, Get, Module } from '@nestjs/common';
import { IdleSessionModule, IdleSessionService, type IdleSessionPolicy } from 'nestjs-idle-session';

declare module 'express-session' {
  interface SessionData {
    role?: string;
  }
}

const secret = process.env.SESSION_SECRET ?? 'at least sixteen characters';

@Module({
  imports: [
    IdleSessionModule.forRoot(
      // #region preset
      {
        preset: 'nist-aal2',
        idleTimeout: '30m', // stricter than the preset's hour
        session: { secret },
        loginUrl: '/login',
      },
      // #endregion preset
    ),
  ],
})
export class WithPreset {}

@Module({
  imports: [
    IdleSessionModule.forRoot({
      session: { secret },
      // #region per-role
      preset: 'stig-asd',
      idleTimeout: (request) => (request.session.role === 'admin' ? '10m' : '15m'),
      // #endregion per-role
    }),
  ],
})
export class WithPresetPerRole {}

// #region policy
@Controller('admin/session-policy')
export class SessionPolicyController {
  constructor(private readonly sessions: IdleSessionService) {}

  @Get()
  show(): IdleSessionPolicy {
    return this.sessions.policy();
  }
}
// #endregion policy
