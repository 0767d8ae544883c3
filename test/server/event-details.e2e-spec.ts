import { channel } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { IdleSessionService, type IdleSessionEvent } from 'nestjs-idle-session';
import { config } from 'rxjs';
import { ExpiredSessionSweeper } from '../../libs/idle-session/src/session/expired-session.sweeper.js';
import { UserStore } from '../../libs/idle-session/src/session/user-store.js';
import { MINUTE, type TestAppOptions } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';
import { until } from '../support/until.js';

const start = testApps();

const diagnostics = channel('nestjs-idle-session:event');
afterEach(() => void (config.onUnhandledError = null));

@Controller('ends')
class EndsController {
  constructor(private readonly sessions: IdleSessionService) {}

  @Get('id')
  id(@Req() request: Request) {
    return { id: request.sessionID };
  }

  @Post('end')
  @HttpCode(204)
  async end(@Req() request: Request) {
    await this.sessions.end(request);
  }

  @Post('revoke/:id')
  @HttpCode(204)
  async revoke(@Param('id') id: string) {
    await this.sessions.revoke(id, { by: 'admin-7' });
  }
}

const startEnding = (options: TestAppOptions['options'] = {}) =>
  start({
    metadata: { controllers: [EndsController] },
    options: { ownerOf: ({ session }) => session?.user, ...options },
  });

describe('An event', () => {
  it('says when, since when and whose, by a hash and, where a request is at hand, by name', async () => {
    const test = await startEnding();
    const ada = await test.signedIn({ user: 'ada' });
    const startedAt = test.clock.now();
    test.clock.advance(MINUTE);
    await ada.get('/page').expect(200);
    test.clock.advance(MINUTE);
    await ada.post('/ends/end').expect(204);
    const [started, ended] = test.events;
    expect(started).toMatchObject({ at: startedAt, startedAt, lastActivityAt: startedAt });
    expect(started).toMatchObject({ owner: 'ada', ownerHash: expect.any(String) });
    expect(ended).toEqual({
      type: 'ended',
      reason: 'signed-out',
      cause: 'request',
      sessionRef: started!.sessionRef,
      at: startedAt + 2 * MINUTE,
      startedAt,
      lastActivityAt: startedAt + 2 * MINUTE,
      ownerHash: started!.ownerHash,
      owner: 'ada',
    });
  });

  it('of a sweep knows the owner by the hash alone', async () => {
    const test = await startEnding();
    await test.signedIn({ user: 'ada' });
    test.clock.advance(15 * MINUTE);
    await test.app.get(ExpiredSessionSweeper).sweep();
    const [started, expired] = test.events;
    expect(expired).toMatchObject({ cause: 'clock', ownerHash: started!.ownerHash });
    expect(expired).not.toHaveProperty('owner');
  });

  it('comes without the owner when ownerOf fails, and the session ends all the same', async () => {
    let fails = false;
    const test = await startEnding({
      ownerOf({ session }) {
        if (fails) throw new Error('on purpose');
        return session?.user;
      },
    });
    const ada = await test.signedIn({ user: 'ada' });
    fails = true;
    await ada.post('/ends/end').expect(204);
    expect(test.events[1]).toMatchObject({ type: 'ended', ownerHash: test.events[0]!.ownerHash });
    expect(test.events[1]).not.toHaveProperty('owner');
    await ada.get('/members').expect(401);
  });

  it('says who revoked the session of another person', async () => {
    const test = await startEnding();
    const ada = await test.signedIn({ user: 'ada' });
    const { id } = (await ada.get('/ends/id').expect(200)).body as { id: string };
    const admin = await test.signedIn({ user: 'eve' });
    await admin.post(`/ends/revoke/${encodeURIComponent(id)}`).expect(204);
    expect(test.events.at(-1)).toMatchObject({
      type: 'ended',
      reason: 'revoked',
      cause: 'request',
      endedBy: 'admin-7',
      sessionRef: test.events[0]!.sessionRef,
    });
  });

  it.each([
    ['', 'a string of 0 characters'],
    [7, 'a number'],
    [null, 'null'],
  ])('cannot say that %p revoked it', async (by, got) => {
    const test = await startEnding();
    await expect(test.sessions.revoke('an id', { by: by as string })).rejects.toThrow(
      new TypeError(
        `IdleSessionService.revoke() got by ${got}; it takes a name, a string that is not empty.`,
      ),
    );
  });

  it('of data that another party deleted has the store as its cause', async () => {
    const test = await startEnding();
    const ada = await test.signedIn();
    const { id } = (await ada.get('/ends/id').expect(200)).body as { id: string };
    test.clock.advance(MINUTE);
    await test.app.get(UserStore).destroy(id);
    await ada.get('/page').expect(401);
    expect(test.events.at(-1)).toMatchObject({ reason: 'revoked', cause: 'store' });
  });

  it('is on the diagnostics channel, too', async () => {
    const test = await startEnding();
    const heard: unknown[] = [];
    const listener = (event: unknown) => heard.push(event);
    diagnostics.subscribe(listener);
    const ada = await test.signedIn();
    await ada.post('/sign-out').expect(204);
    diagnostics.unsubscribe(listener);
    await test.signedIn();
    expect(heard).toEqual(test.events.slice(0, 2));
  });

  it('reaches all other subscribers, and ends the session, also if one subscriber throws', async () => {
    const unhandled: unknown[] = [];
    config.onUnhandledError = (error) => unhandled.push(error);
    const test = await startEnding();
    const after: IdleSessionEvent[] = [];
    test.sessions.events.subscribe(() => {
      throw new Error('on purpose');
    });
    test.sessions.events.subscribe((event) => after.push(event));
    const ada = await test.signedIn();
    await ada.post('/sign-out').expect(204);
    await test.signedIn();
    await test.signedIn();
    test.clock.advance(15 * MINUTE);
    await test.app.get(ExpiredSessionSweeper).sweep();
    expect(after.map(({ type }) => type)).toEqual([
      'started',
      'ended',
      'started',
      'started',
      'expired',
      'expired',
    ]);
    expect(after).toEqual(test.events);
    await until('RxJS has reported each error', () => unhandled.length === 6);
  });
});
