import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { MemoryActivityStorage } from 'nestjs-idle-session';
import { OpenSessions } from '../../libs/idle-session/src/session/open/open-sessions.js';
import { ExpiredSessionSweeper } from '../../libs/idle-session/src/session/expired-session.sweeper.js';
import { SessionEvents } from '../../libs/idle-session/src/session/session-events.js';
import { MINUTE } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();
afterEach(() => void jest.restoreAllMocks());

const NONE = { idle: 0, absolute: 0, 'signed-out': 0, revoked: 0, lost: 0 };

describe('IdleSessionService.stats()', () => {
  it('counts the sessions that live, and the ends by their reasons', async () => {
    const test = await start();
    expect(await test.sessions.stats()).toMatchObject({ active: 0, ended: NONE, open: 0 });
    const ada = await test.signedIn();
    await test.signedIn();
    await test.signedIn();
    expect(await test.sessions.stats()).toMatchObject({ active: 3, ended: NONE });
    await ada.post('/sign-out').expect(204);
    expect(await test.sessions.stats()).toMatchObject({ active: 2 });
    test.clock.advance(15 * MINUTE);
    await test.app.get(ExpiredSessionSweeper).sweep();
    expect(await test.sessions.stats()).toMatchObject({
      active: 0,
      ended: { ...NONE, 'signed-out': 1, idle: 2 },
    });
  });

  it('counts no end that another process decided', async () => {
    const test = await start();
    const ada = await test.signedIn();
    const { sessionRef } = (await ada.get('/idle-session/status')).body as { sessionRef: string };
    const reading = await test.storage.end(sessionRef, 'revoked');
    test.app.get(SessionEvents).learned(sessionRef, reading);
    expect(test.events.at(-1)).toMatchObject({ reason: 'revoked', cause: 'elsewhere' });
    expect(await test.sessions.stats()).toMatchObject({ active: 0, ended: NONE });
  });

  it('says how long the storage took, and that it is available', async () => {
    const test = await start();
    const { storage } = await test.sessions.stats();
    expect(storage).toEqual({ isAvailable: true, latencyMs: expect.any(Number) });
    expect(storage.latencyMs).toBeGreaterThanOrEqual(0);
  });

  it('counts what is open', async () => {
    const test = await start();
    const ada = await test.signedIn();
    const { sessionRef } = (await ada.get('/idle-session/status')).body as { sessionRef: string };
    const release = test.app.get(OpenSessions).hold({ ref: sessionRef, hasRecord: true }, () => {});
    expect((await test.sessions.stats()).open).toBe(1);
    release();
    expect((await test.sessions.stats()).open).toBe(0);
  });

  it('leaves open how many there are where the storage does not count', async () => {
    class Uncounted extends MemoryActivityStorage {
      override count = undefined as never;
    }
    const test = await start({ options: { storage: new Uncounted() } });
    expect(await test.sessions.stats()).toMatchObject({
      active: null,
      storage: { isAvailable: true },
    });
  });

  it.each<[string, () => Promise<number>]>([
    ['does not answer', () => new Promise(() => {})],
    ['fails', () => Promise.reject(new Error('away'))],
  ])('says that the storage is away when it %s', async (_, count) => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const test = await start({ options: { storageTimeout: 50 } });
    const { latencyMs } = (await test.sessions.stats()).storage;
    jest.spyOn(test.storage, 'count').mockImplementation(count);
    expect(await test.sessions.stats()).toMatchObject({
      active: null,
      storage: { isAvailable: false, latencyMs },
    });
  });

  it('says that the storage is back 5 s after it failed last, long before the log does', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const test = await start();
    const failedAt = performance.now();
    const clock = jest.spyOn(performance, 'now').mockReturnValue(failedAt);
    jest.spyOn(test.storage, 'count').mockRejectedValueOnce(new Error('away'));
    expect((await test.sessions.stats()).storage.isAvailable).toBe(false);
    clock.mockReturnValue(failedAt + 4900);
    expect((await test.sessions.stats()).storage.isAvailable).toBe(false);
    clock.mockReturnValue(failedAt + 5100);
    expect((await test.sessions.stats()).storage.isAvailable).toBe(true);
    clock.mockRestore();
  });
});
