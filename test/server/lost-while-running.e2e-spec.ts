import { Controller, Get, Post, Req } from '@nestjs/common';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { IdleSessionService, SkipIdleSession } from 'nestjs-idle-session';
import { loseRecords } from '../support/lose-records.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { expectEnded, type Browser } from '../support/requests.js';
import { type TestApp } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

@Controller()
class WatchController {
  constructor(private readonly sessions: IdleSessionService) {}

  @Get('watch')
  watch(@Req() request: Request) {
    loseRecords(test.storage);
    return this.sessions.check(request);
  }

  @Post('refresh')
  @SkipIdleSession()
  refresh(@Req() request: Request) {
    loseRecords(test.storage);
    return this.sessions.refresh(request);
  }
}

let test: TestApp;
let ada: Browser;
let logger: RecordingLogger;
/** At which question for the idle timeout, of those that a request leads to, the records go; the answers to them. */
let losingAt: number | undefined;
let timeouts: string[];

beforeEach(async () => {
  losingAt = undefined;
  timeouts = [];
  logger = new RecordingLogger();
  test = await start({
    metadata: { controllers: [WatchController] },
    options: {
      idleTimeout: () => {
        if (losingAt !== undefined && losingAt-- === 0) loseRecords(test.storage);
        return (timeouts.shift() ?? '15m') as '15m';
      },
    },
    logger,
  });
  ada = await test.signedIn();
});

describe('A session whose record vanishes while a request runs', () => {
  async function expectLostForGood(): Promise<void> {
    await expectEnded(ada, 'lost');
    const ended = test.events.filter(({ type }) => type !== 'started');
    expect(ended).toMatchObject([
      { type: 'ended', sessionRef: expect.any(String), reason: 'lost' },
    ]);
    expect(logger.warnings).toEqual([expect.stringMatching(/^The activity record of session /)]);
  }

  it('ends as lost in the check of the guard', async () => {
    [losingAt, timeouts] = [0, ['10m']];
    await expectEnded(ada, 'lost', '/poll');
    await expectLostForGood();
  });

  it('ends as lost when the interceptor counts the request', async () => {
    losingAt = 1;
    await expectEnded(ada, 'lost');
    await expectLostForGood();
  });

  it('ends as lost when a heartbeat counts', async () => {
    losingAt = 1;
    const { body } = await ada.post('/idle-session/heartbeat').send({ idleForMs: 0 }).expect(401);
    expect(body.reason).toBe('lost');
    await expectLostForGood();
  });

  it.each(['check', 'refresh'])('ends as lost when a handler calls %s()', async (method) => {
    const { body } = await (method === 'check' ? ada.get('/watch') : ada.post('/refresh'));
    expect(body).toMatchObject({ state: 'expired', reason: 'lost', expiresInMs: 0 });
    await expectLostForGood();
  });
});
