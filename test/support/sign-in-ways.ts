import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import type { Request } from 'express';

/** Sign-ins as apps write them that leave something out. */
@Controller()
export class SignInWays {
  /** Sets the user on the session that the request has: no new id, and no save of its own. */
  @Post('sign-in-same-id')
  @HttpCode(200)
  sameId(@Req() request: Request, @Body() { user = 'ada' }: { user?: string }) {
    request.session.user = user;
    return { user };
  }

  /** As above, and saves the session before the answer. */
  @Post('sign-in-same-id-saved')
  @HttpCode(200)
  async sameIdSaved(@Req() request: Request) {
    request.session.user = 'ada';
    await new Promise<void>((resolve, reject) =>
      request.session.save((error: unknown) => (error ? reject(error as Error) : resolve())),
    );
    return {};
  }

  /** Begins a new session, and leaves it to express-session to save it behind the answer. */
  @Post('sign-in-unsaved')
  @HttpCode(200)
  async unsaved(@Req() request: Request, @Body() { user = 'ada' }: { user?: string }) {
    await new Promise((resolve) => request.session.regenerate(resolve));
    request.session.user = user;
    return { user };
  }
}
