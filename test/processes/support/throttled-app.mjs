// An app with @nestjs/throttler, whose package Jest cannot load: forked, and says its port over IPC. Plain JavaScript on the
// built library, so the decorators are called by hand.
import { Controller, Get, Module, Post, Req } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { IdleSessionModule, SkipIdleSession } from 'nestjs-idle-session';

class PagesController {
  /** @param {import('express').Request & { session: { user?: string } }} request */
  signIn(request) {
    request.session.user = 'ada';
  }

  page() {
    return {};
  }
}
Controller()(PagesController);
route('signIn', Post('sign-in'), SkipIdleSession());
route('page', Get('page'));
Req()(PagesController.prototype, 'signIn', 0);

/**
 * @param {'signIn' | 'page'} name
 * @param {MethodDecorator[]} decorators
 */
function route(name, ...decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(PagesController.prototype, name) ?? {};
  for (const decorate of decorators) decorate(PagesController.prototype, name, descriptor);
}

class AppModule {}
Module({
  imports: [
    ThrottlerModule.forRoot([{ ttl: 60_000, limit: 10 }]),
    IdleSessionModule.forRoot({ session: { secret: 'at least sixteen characters' } }),
  ],
  controllers: [PagesController],
  providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
})(AppModule);

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
await app.listen(0, '127.0.0.1');
process.send?.({ port: app.getHttpServer().address().port });
