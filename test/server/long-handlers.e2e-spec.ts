import { Controller, Get, Req } from '@nestjs/common';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Request } from 'express';
import {
  type ActivityStorage,
  IdleSessionService,
  SkipIdleSession,
  StorageUnavailableException,
  type IdleSessionStatus,
} from 'nestjs-idle-session';
import { Gate } from '../support/gate.js';
import { expectEnded, statusOf, type Browser } from '../support/requests.js';
import { MINUTE, type TestApp } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

@Controller()
class WatchController {
  static gate = new Gate();

  constructor(private readonly sessions: IdleSessionService) {}

  /** Runs until the test opens the gate, and then says what it knows without asking, and by asking. */
  @Get('watch')
  async watch(@Req() request: Request) {
    await WatchController.gate.pass();
    const known = this.sessions.status(request);
    return { known, checked: await this.sessions.check(request) };
  }

  @Get('exempt-watch')
  @SkipIdleSession()
  exemptWatch(@Req() request: Request) {
    return this.sessions.check(request).catch((error: unknown) => ({
      unavailable: error instanceof StorageUnavailableException,
    }));
  }
}

let test: TestApp;
let ada: Browser;
beforeEach(async () => {
  WatchController.gate = new Gate();
  test = await start({ metadata: { controllers: [WatchController] } });
  ada = await test.signedIn();
});

/** What a handler gets to know of what happens while it runs. */
async function watching(
  meanwhile: () => unknown,
): Promise<{ known: IdleSessionStatus; checked: IdleSessionStatus }> {
  const answer = ada.get('/watch').then(({ body }) => body);
  await WatchController.gate.reached;
  await meanwhile();
  WatchController.gate.open();
  return answer;
}

describe('A handler that runs for long', () => {
  it('is told that the time is up, and ends the session', async () => {
    const { known, checked } = await watching(() => test.clock.advance(15 * MINUTE));
    expect(known).toMatchObject({ state: 'active' });
    expect(checked).toMatchObject({ state: 'expired', reason: 'idle', expiresInMs: 0 });
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'expired']);
    await expectEnded(ada, 'idle');
  });

  it('is told what is left, which its looking does not prolong', async () => {
    const { checked } = await watching(() => test.clock.advance(14 * MINUTE));
    expect(checked).toMatchObject({ state: 'warning', expiresInMs: MINUTE });
    test.clock.advance(MINUTE);
    await expectEnded(ada, 'idle');
  });

  it('is told of activity elsewhere', async () => {
    const { checked } = await watching(async () => {
      test.clock.advance(14 * MINUTE);
      await ada.get('/page').expect(200);
    });
    expect(checked).toMatchObject({ state: 'active', expiresInMs: 15 * MINUTE });
  });

  it('is told of a sign-out elsewhere', async () => {
    const { checked } = await watching(() => ada.post('/sign-out').expect(204));
    expect(checked).toMatchObject({ state: 'expired', reason: 'signed-out' });
  });

  it('asks a storage that remembers for what is true now', async () => {
    const read = jest.spyOn(test.storage as ActivityStorage, 'read');
    await watching(() => read.mockClear());
    expect(read).toHaveBeenCalledWith(expect.any(String), true);
  });

  it('gets an error while the storage is away', async () => {
    await ada.get('/exempt-watch').expect(200);
    const read = jest.spyOn(test.storage, 'read').mockRejectedValue(new Error('on purpose'));
    test.app.useLogger(false);
    expect((await ada.get('/exempt-watch')).body).toEqual({ unavailable: true });
    read.mockRestore();
    expect(await statusOf(ada)).toMatchObject({ state: 'active' });
  });

  it('is told that a stranger has no session', async () => {
    const { body } = await test.browser().get('/exempt-watch').expect(200);
    expect(body).toMatchObject({ state: 'none' });
  });
});
