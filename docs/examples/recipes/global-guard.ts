import {
  Controller,
  Get,
  Injectable,
  Module,
  SetMetadata,
  UnauthorizedException,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { IdleSessionModule } from 'nestjs-idle-session';

declare module 'express-session' {
  interface SessionData {
    user?: string;
  }
}

// #region guard
export const Public = () => SetMetadata('public', true);

@Injectable()
export class SignedInGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const places = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean>('public', places)) return true;
    if (context.switchToHttp().getRequest<Request>().session?.user) return true;
    throw new UnauthorizedException();
  }
}
// #endregion guard

@Controller()
export class PagesController {
  @Get('imprint')
  @Public()
  imprint() {
    return 'Imprint';
  }

  @Get('claims')
  claims() {
    return 'Claims';
  }
}

// #region module
@Module({
  imports: [
    IdleSessionModule.forRoot({
      session: { secret: process.env.SESSION_SECRET ?? 'at least sixteen characters' },
      loginUrl: '/login',
    }),
  ],
  controllers: [PagesController],
  providers: [{ provide: APP_GUARD, useClass: SignedInGuard }],
})
export class AppModule {}
// #endregion module
