import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import type { Request } from 'express';
import type { ActivityStorage, IdleSessionModuleOptions } from 'nestjs-idle-session';
import { ConfirmController } from '../support/confirm-controller.js';
import { setCookiesOf } from '../support/cookies.js';
import { Gate } from '../support/gate.js';
import { LockController } from '../support/lock-controller.js';
import { loseRecords } from '../support/lose-records.js';
import { expectEnded, statusOf } from '../support/requests.js';
import { serverTiming } from '../support/server-timing.js';
import { HOUR, MINUTE } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

const LOCK = 15 * MINUTE;

/** Somebody who signed in, typed a note and went away. */
async function lockedApp(options: Partial<IdleSessionModuleOptions> = {}) {
  const test = await start({
    options: { idleTimeout: '1h', lockAfter: '15m', ...options },
    metadata: { controllers: [LockController, ConfirmController] },
  });
  const ada = await test.signedIn();
  await ada.post('/page').send({ note: 'half a claim' }).expect(200);
  test.clock.advance(LOCK);
  return { ...test, ada };
}

/** The storage is away as the request comes, and back once its handler has checked the password. */
async function unlockAsStorageReturns(change: (storage: ActivityStorage) => void = () => {}) {
  const { ada, storage, app, events } = await lockedApp({ onStorageError: 'allow' });
  app.useLogger(false);
  const read = jest.spyOn(storage, 'read').mockRejectedValue(new Error('away'));
  const gate = new Gate();
  const answer = ada.post(`/unlock?gate=${gate.name}`).then((response) => response);
  await gate.reached;
  read.mockRestore();
  change(storage);
  gate.open();
  return { unlocked: (await answer).body, events };
}

describe('An unlock', () => {
  it('lets the session go on as it was, from now on', async () => {
    const { ada, clock } = await lockedApp();
    clock.advance(5 * MINUTE);
    const before = await statusOf(ada);
    const response = await ada
      .post('/unlock')
      .expect(200)
      .expect('Server-Timing', serverTiming('active', 3_600_000));
    expect(response.body).toEqual({ isUnlocked: true, state: 'active', note: 'half a claim' });
    expect(setCookiesOf(response)).toEqual([]);
    expect(await statusOf(ada)).toEqual({
      ...before,
      state: 'active',
      expiresInMs: HOUR,
      locksInMs: LOCK,
    });
    await ada.get('/page').expect(200, { user: 'ada' });
  });

  it('is followed by the next lock after as long a time', async () => {
    const { ada, clock } = await lockedApp();
    for (let times = 0; times < 2; times++) {
      await ada.post('/unlock').expect(200);
      clock.advance(LOCK - 1);
      expect(await statusOf(ada)).toMatchObject({ state: 'active' });
      clock.advance(1);
      expect((await ada.get('/page').expect(401)).body.reason).toBe('locked');
    }
  });

  it('keeps the absolute limit', async () => {
    const { ada, clock } = await lockedApp({ absoluteTimeout: '2h' });
    for (let passed = LOCK; passed < 2 * HOUR; passed += LOCK) {
      await ada.post('/unlock').expect(200);
      clock.advance(LOCK);
    }
    await expectEnded(ada, 'absolute');
  });

  it('is no fresh proof', async () => {
    const { ada } = await lockedApp();
    await ada.post('/unlock').expect(200);
    expect((await ada.get('/email').expect(401)).body.reason).toBe('confirm');
  });

  it('brings the idle timeout that a function gives now', async () => {
    let idleTimeout: '1h' | '2h' = '1h';
    const { ada } = await lockedApp({ idleTimeout: () => idleTimeout });
    idleTimeout = '2h';
    await ada.post('/unlock').expect(200);
    expect(await statusOf(ada)).toMatchObject({ idleTimeoutMs: 2 * HOUR, expiresInMs: 2 * HOUR });
  });

  it('emits an event that says since when the person was away', async () => {
    const ownerOf = ({ session }: Request) => session.user;
    const { ada, clock, events } = await lockedApp({ ownerOf });
    const [started] = events;
    clock.advance(MINUTE);
    await ada.post('/unlock').expect(200);
    expect(events).toEqual([
      started,
      {
        type: 'unlocked',
        sessionRef: started!.sessionRef,
        at: clock.now(),
        startedAt: started!.startedAt,
        lastActivityAt: clock.now() - LOCK - MINUTE,
        ownerHash: started!.ownerHash,
        owner: 'ada',
        cause: 'request',
      },
    ]);
    expect(started!.ownerHash).not.toBeNull();
  });

  it('answers also on a route whose answers end with their session', async () => {
    const { ada } = await lockedApp();
    const gate = new Gate();
    const answer = ada.post(`/marked-unlock?gate=${gate.name}`).then((response) => response);
    await gate.reached;
    // What is held open for the session learns of its lock within these turns.
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    gate.open();
    expect((await answer).body).toMatchObject({ isUnlocked: true });
  });

  it('is told once where the form is sent twice', async () => {
    const { ada, events } = await lockedApp();
    const gates = [new Gate(), new Gate()];
    const answers = gates.map(({ name }) =>
      ada.post(`/unlock?gate=${name}`).then((response) => response),
    );
    await Promise.all(gates.map(({ reached }) => reached));
    for (const gate of gates) gate.open();
    for (const { body } of await Promise.all(answers))
      expect(body).toMatchObject({ isUnlocked: true, state: 'active' });
    expect(events.filter(({ type }) => type === 'unlocked')).toHaveLength(1);
  });

  it('of a session that is not locked is activity, and no event', async () => {
    const { ada, clock, events } = await lockedApp();
    await ada.post('/unlock').expect(200);
    clock.advance(MINUTE);
    // Whatever the request says of itself.
    const unlock = ada.post('/unlock').set('Idle-Session', 'passive');
    expect((await unlock.expect(200)).body.isUnlocked).toBe(true);
    expect(await statusOf(ada)).toMatchObject({ expiresInMs: HOUR });
    expect(events.filter(({ type }) => type === 'unlocked')).toHaveLength(1);
  });

  it('of a request without a session says that nothing goes on', async () => {
    const { browser } = await lockedApp();
    expect((await browser().post('/unlock').expect(200)).body.isUnlocked).toBe(false);
  });

  it('of a session that the options do not apply to says that nothing goes on', async () => {
    const { signedIn } = await lockedApp({ appliesTo: () => false });
    const { body } = await (await signedIn()).post('/unlock').expect(200);
    expect(body.isUnlocked).toBe(false);
  });

  it('of a session that ended is refused with the reason', async () => {
    const { ada, clock } = await lockedApp();
    clock.advance(HOUR);
    expect((await ada.post('/unlock').expect(401)).body.reason).toBe('idle');
  });

  it('of a session that ends while the password is checked says that it is over', async () => {
    const test = await lockedApp();
    const gate = new Gate();
    const answer = test.ada.post(`/unlock?gate=${gate.name}`).then((response) => response);
    await gate.reached;
    test.clock.advance(HOUR);
    gate.open();
    expect((await answer).body).toMatchObject({ isUnlocked: false, state: 'expired' });
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'expired']);
    await expectEnded(test.ada, 'idle');
  });

  it.each(['reject', 'allow'] as const)(
    'is 503 while the storage takes none, and the session stays locked: %s',
    async (onStorageError) => {
      const { ada, storage, app, events } = await lockedApp({ onStorageError });
      app.useLogger(false);
      const unlock = storage.unlock.bind(storage);
      storage.unlock = () => Promise.reject(new Error('full'));
      await ada.post('/unlock').expect(503);
      storage.unlock = unlock;
      expect(await statusOf(ada)).toMatchObject({ state: 'locked' });
      expect(events).toHaveLength(1);
    },
  );

  it('is 503 where requests go unchecked, since nobody knows whether there is a lock', async () => {
    const { ada, storage, app } = await lockedApp({ onStorageError: 'allow' });
    app.useLogger(false);
    const away = () => Promise.reject(new Error('away'));
    Object.assign(storage, { read: away, unlock: away });
    await ada.post('/unlock').expect(503);
  });

  it('unlocks nothing where the storage comes back without the record', async () => {
    const { unlocked, events } = await unlockAsStorageReturns(loseRecords);
    expect(unlocked.isUnlocked).toBe(false);
    expect(events.at(-1)).toMatchObject({ type: 'ended', reason: 'lost' });
  });

  it('unlocks, and is told, where the storage is back once the password is checked', async () => {
    const { unlocked, events } = await unlockAsStorageReturns();
    expect(unlocked).toMatchObject({ isUnlocked: true, state: 'active' });
    expect(events.map(({ type }) => type)).toEqual(['started', 'unlocked']);
  });
});
