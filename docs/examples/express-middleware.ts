import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { RequestHandler } from 'express';
import { IdleSessionService } from 'nestjs-idle-session';

/** Who may see the page is for the app to say. */
const signedIn: RequestHandler = (request, response, next) => {
  if (request.session.user === undefined) response.sendStatus(401);
  else next();
};

/** Starts an app that mounts the middleware of another package. */
export async function start(
  AppModule: new () => object,
  queues: RequestHandler,
  reports: RequestHandler,
): Promise<INestApplication> {
  // #region protect
  const app = await NestFactory.create(AppModule);
  const sessions = app.get(IdleSessionService);
  app.use('/reports', sessions.protect(), signedIn, reports);
  // #endregion protect
  // #region is-activity
  const isActivity = ({ method }: { method: string }) => method !== 'GET';
  app.use('/admin/queues', sessions.protect({ isActivity }), signedIn, queues);
  // #endregion is-activity
  return app;
}
