import { Controller, Get, Module, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import {
  ActivityStorage,
  IdleSessionModule,
  MemoryActivityStorage,
  SkipIdleSession,
} from 'nestjs-idle-session';

declare module 'express-session' {
  interface SessionData {
    user?: string;
  }
}

@Controller()
class PagesController {
  @Post('login')
  @SkipIdleSession()
  login(@Req() request: Request) {
    request.session.user = 'ada';
    return {};
  }

  @Get('claims')
  claims() {
    return { claims: [] };
  }
}

// #region module
@Module({
  providers: [{ provide: ActivityStorage, useFactory: () => new MemoryActivityStorage() }],
  exports: [ActivityStorage],
})
class StorageModule {}

@Module({
  imports: [
    IdleSessionModule.forRootAsync({
      imports: [StorageModule],
      inject: [ActivityStorage],
      useFactory: (storage: ActivityStorage) => ({
        session: { secret: process.env.SESSION_SECRET ?? 'at least sixteen characters' },
        storage,
      }),
    }),
  ],
  controllers: [PagesController],
})
export class AppModule {}
// #endregion module
