import { type DynamicModule, Module } from '@nestjs/common';
import { RedisSessionBacking } from './redis-session-backing.js';
import { SessionBacking } from './session-backing.js';

@Module({})
export class SessionsModule {
  static register(redisUrl: string | undefined, backing?: SessionBacking): DynamicModule {
    return {
      module: SessionsModule,
      providers: [
        {
          provide: SessionBacking,
          useFactory: async (): Promise<SessionBacking> => {
            if (backing) return backing;
            return redisUrl ? new RedisSessionBacking(redisUrl).connect() : {};
          },
        },
      ],
      exports: [SessionBacking],
    };
  }
}
