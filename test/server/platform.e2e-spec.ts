import { afterEach, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { IdleSessionModule, IdleSessionService } from 'nestjs-idle-session';
import { SECRET } from '../support/test-app.js';

let app: INestApplication;
afterEach(() => app.close());

async function onFastify(): Promise<INestApplication> {
  const module = await Test.createTestingModule({
    imports: [IdleSessionModule.forRoot({ session: { secret: SECRET } })],
  }).compile();
  app = module.createNestApplication(new FastifyAdapter());
  return app;
}

const SUPPORTED =
  /works on Express only, and this app runs on fastify\. Create the app with @nestjs\/platform-express/;

describe('An app on Fastify', () => {
  it('does not start, and is told what is supported', async () => {
    await expect((await onFastify()).init()).rejects.toThrow(SUPPORTED);
  });

  it('does not start either with the middleware in main.ts', async () => {
    const created = await onFastify();
    created.use(created.get(IdleSessionService).middleware());
    await expect(created.init()).rejects.toThrow(SUPPORTED);
  });
});
