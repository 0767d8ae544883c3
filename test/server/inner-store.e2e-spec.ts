import { Controller, Get, Post, Req, type ModuleMetadata } from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Request } from 'express';
import expressSession, { type Store } from 'express-session';
import { createTestApp, MINUTE, SECRET, type TestApp } from '../support/test-app.js';
import { expectEnded, NAVIGATION } from '../support/requests.js';
import { Gate } from '../support/gate.js';
import { MinimalStore } from '../support/minimal-store.js';
import { sessionIdOf, signInCookie } from '../support/cookies.js';

let test: TestApp;
afterEach(() => {
  jest.restoreAllMocks();
  return test.app.close();
});

/** Drops what is past its cookie's date. A MemoryStore would not do: the module has it keep sessions for ever. */
class DatedStore extends MinimalStore {
  override get(...[id, done]: Parameters<MinimalStore['get']>): void {
    super.get(id, (error, session) => {
      const isOver = session != null && Date.parse(String(session.cookie.expires)) <= Date.now();
      done(error, isOver ? null : session);
    });
  }
}

class DatedStoreWithTouch extends DatedStore {
  override touch = (...given: Parameters<MinimalStore['set']>): void => this.set(...given);
}

/** An app whose store and clock share one time. */
async function createAppOn(store: Store, metadata: ModuleMetadata = {}) {
  test = await createTestApp({
    metadata,
    options: { absoluteTimeout: false, session: { secret: SECRET, store } },
  });
  const start = Date.now() - test.clock.now();
  jest.spyOn(Date, 'now').mockImplementation(() => start + test.clock.now());
}

describe("The user's session store", () => {
  it('is touched by each request of a session that is not under the idle timeout, before its handler', async () => {
    const store = new expressSession.MemoryStore();
    test = await createTestApp({
      options: { appliesTo: () => false, session: { secret: SECRET, store } },
    });
    const ada = await test.signedIn();
    const [touch, set] = [jest.spyOn(store, 'touch'), jest.spyOn(store, 'set')];
    await ada.get('/page').expect(200, { user: 'ada' });
    expect(touch).toHaveBeenCalledTimes(1);
    await ada.post('/page').send({ note: 'kept' }).expect(200);
    expect(touch).toHaveBeenCalledTimes(2);
    const [touched, saved] = [touch, set].map(({ mock }) => mock.invocationCallOrder.at(-1)!);
    expect(touched).toBeLessThan(saved!);
  });

  it.each([
    ['with touch()', DatedStoreWithTouch],
    ['without touch()', DatedStore],
  ])('%s never drops a session whose activity comes at the last moment', async (_, AnyStore) => {
    await createAppOn(new AnyStore());
    const ada = await test.signedIn();
    for (let time = 0; time < 20; time++) {
      test.clock.advance(15 * MINUTE - 1);
      await ada.get('/page').expect(200, { user: 'ada' });
    }
  });

  it('without touch() loses nothing that another server saved in the meantime', async () => {
    const store = new expressSession.MemoryStore();
    store.touch = undefined as never;
    const gate = new Gate();
    @Controller()
    class SlowController {
      @Get('slow')
      async slow() {
        await gate.pass();
        return {};
      }
    }
    await createAppOn(store, { controllers: [SlowController] });
    const { storage } = test;
    const other = await createTestApp({ options: { storage, session: { secret: SECRET, store } } });
    const Cookie = await signInCookie(test);
    test.clock.advance(14 * MINUTE);
    await test.browser().get('/page').set({ Cookie }).expect(200);
    test.clock.advance(2 * MINUTE);
    const slow = test
      .browser()
      .get('/slow')
      .set({ Cookie })
      .then(({ status }) => status);
    await gate.reached;
    await other.browser().post('/page').set({ Cookie }).send({ note: 'kept' }).expect(200);
    gate.open();
    expect(await slow).toBe(200);
    await other.app.close();
    const session = await new Promise((resolve) =>
      store.get(sessionIdOf(Cookie), (_, data) => resolve(data)),
    );
    expect(session).toMatchObject({ user: 'ada', note: 'kept' });
  });

  it('is not called again for a session that ended, and keeps nothing of it', async () => {
    const store = new expressSession.MemoryStore();
    const [touch, set] = [jest.spyOn(store, 'touch'), jest.spyOn(store, 'set')];
    await createAppOn(store);
    const ada = await test.signedIn();
    const saves = set.mock.calls.length;
    test.clock.advance(15 * MINUTE);
    await expectEnded(ada, 'idle');
    await ada.get('/exempt').set(NAVIGATION).expect(200);
    expect(touch).not.toHaveBeenCalled();
    expect(set.mock.calls).toHaveLength(saves);
    expect(Object(store).sessions).toEqual({});
  });

  it('is not given what a request still wrote to a session that ended meanwhile', async () => {
    const store = new expressSession.MemoryStore();
    const set = jest.spyOn(store, 'set');
    const gate = new Gate();
    @Controller()
    class SlowController {
      @Post('slow')
      async slow(@Req() request: Request) {
        await gate.pass();
        request.session.note = 'late';
        return {};
      }
    }
    await createAppOn(store, { controllers: [SlowController] });
    const ada = await test.signedIn();
    const saves = set.mock.calls.length;
    const slow = ada.post('/slow').then(({ status }) => status);
    await gate.reached;
    await ada.post('/idle-session/sign-out').expect(204);
    gate.open();
    expect(await slow).toBe(201);
    expect(set.mock.calls).toHaveLength(saves);
  });

  it('keeps nothing of a session that ended while it was being saved', async () => {
    const store = new expressSession.MemoryStore();
    await createAppOn(store);
    const ada = await test.signedIn();
    const gate = new Gate();
    jest.spyOn(store, 'set').mockImplementationOnce((id, session, done) => {
      void gate.pass().then(() => store.set(id, session, done));
    });
    const saving = ada.post('/page').then(({ status }) => status);
    await gate.reached;
    await ada.post('/idle-session/sign-out').expect(204);
    gate.open();
    expect(await saving).toBe(200);
    expect(Object(store).sessions).toEqual({});
  });
});
