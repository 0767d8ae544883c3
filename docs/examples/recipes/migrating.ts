import { Module } from '@nestjs/common';
import type { Store } from 'express-session';
import { IdleSessionModule } from 'nestjs-idle-session';

/** @param store the one that the app has used so far */
export function appModuleOn(store: Store) {
  const secret = process.env.SESSION_SECRET ?? 'at least sixteen characters';

  @Module({
    imports: [
      // #region module
      IdleSessionModule.forRoot({
        session: { secret, store, name: 'connect.sid' },
        loginUrl: '/login',
      }),
      // #endregion module
    ],
  })
  class AppModule {}
  return AppModule;
}
