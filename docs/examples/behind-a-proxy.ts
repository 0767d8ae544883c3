import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';

/** Starts an app behind one proxy. */
export async function start(AppModule: new () => object): Promise<NestExpressApplication> {
  // #region trust-proxy
  const app = await NestFactory.create<NestExpressApplication>(AppModule);
  app.set('trust proxy', 1);
  // #endregion trust-proxy
  return app;
}
