import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
// #region test
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ActivityStorage, IdleSessionGuard, MemoryActivityStorage } from 'nestjs-idle-session';
import { ManualClock } from 'nestjs-idle-session/testing';
import supertest from 'supertest';
import { AppModule } from './app.module.js';

describe('The claims page', () => {
  const clock = new ManualClock();
  let app: INestApplication;

  beforeEach(async () => {
    const module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(ActivityStorage)
      .useValue(new MemoryActivityStorage({ now: clock.now }))
      .compile();
    app = module.createNestApplication();
    await app.init();
  });
  afterEach(() => app.close());

  it('is closed to a person who was away for 15 minutes', async () => {
    const browser = supertest.agent(app.getHttpServer());
    await browser.post('/login').expect(201);
    clock.advance(15 * 60_000 - 1);
    await browser.get('/claims').expect(200);
    clock.advance(15 * 60_000);
    const { body } = await browser.get('/claims').expect(401);
    expect(body).toMatchObject({ reason: 'idle' });
  });
});
// #endregion test

describe('A test that is not about sessions', () => {
  it('takes the guard away', async () => {
    // #region no-guard
    const module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(IdleSessionGuard)
      .useValue({ canActivate: () => true })
      .compile();
    // #endregion no-guard
    const app = module.createNestApplication();
    await app.init();
    await supertest(app.getHttpServer()).get('/claims').expect(200);
    await app.close();
  });
});
