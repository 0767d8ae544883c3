import { describe, expect, it, jest } from '@jest/globals';
import { Controller, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import expressSession from 'express-session';
import { IdleSessionService } from 'nestjs-idle-session';
import { MINUTE, SECOND, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { expectEnded, statusOf, type Browser } from '../support/requests.js';
import { SignInWays } from '../support/sign-in-ways.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

@Controller()
class KeepingController {
  constructor(private readonly sessions: IdleSessionService) {}

  @Post('end-others')
  async endOthers(@Req() request: Request) {
    return String(await this.sessions.endAll('ada', { except: request, by: 'ada' }));
  }
}

const ownerOf = ({ session }: Request) => session.user;

const appWith = (options: TestAppOptions['options'] = {}, more: TestAppOptions = {}) =>
  start({ ...more, options: { ownerOf, ...options } });

const refOf = async (browser: Browser) => (await statusOf(browser)).sessionRef!;

const endsOf = ({ events }: TestApp) =>
  events.flatMap((event) =>
    event.type === 'started' ? [] : [{ ...event, ownerHash: undefined, at: undefined }],
  );

describe('The list of a person’s sessions', () => {
  it('has their live sessions, with the newest activity first, and nobody else’s', async () => {
    const test = await appWith();
    const [phone, laptop] = [await test.signedIn(), await test.signedIn()];
    await test.signedIn({ user: 'bob' });
    const startedAt = test.clock.now();
    test.clock.advance(MINUTE);
    await phone.get('/page').expect(200);
    expect(await test.sessions.list('ada')).toEqual([
      {
        ref: await refOf(phone),
        startedAt,
        lastActivityAt: startedAt + MINUTE,
        current: false,
        description: {},
      },
      {
        ref: await refOf(laptop),
        startedAt,
        lastActivityAt: startedAt,
        current: false,
        description: {},
      },
    ]);
    expect(await test.sessions.list('eve')).toEqual([]);
  });

  it('has what the app chose to keep, and never a session id', async () => {
    const test = await appWith({
      describe: (request) => ({ browser: String(request.get('User-Agent')).slice(0, 100) }),
    });
    const browser = test.browser();
    await browser.post('/sign-in').set('User-Agent', 'Firefox on Linux').send({}).expect(200);
    const [session] = await test.sessions.list('ada');
    expect(session!.description).toEqual({ browser: 'Firefox on Linux' });
    expect(session!.ref).toBe(await refOf(browser));
  });

  it('shows no session whose time is up, even if no sweep has found it, nor one that ended', async () => {
    const test = await appWith();
    await test.signedIn();
    const other = await test.signedIn();
    test.clock.advance(14 * MINUTE);
    await other.get('/page').expect(200);
    test.clock.advance(MINUTE);
    expect((await test.sessions.list('ada')).map(({ ref }) => ref)).toEqual([await refOf(other)]);
    await other.post('/idle-session/sign-out').expect(204);
    expect(await test.sessions.list('ada')).toEqual([]);
  });

  it('cleans itself of a session that never started, as after a crash, without ever showing it', async () => {
    const test = await appWith();
    const ada = await test.signedIn();
    const { owner } = (await test.storage.read(await refOf(ada))).record!;
    await test.storage.index.add(owner!, { key: 'crashed', description: {}, keepForMs: null });
    const keys = async () => (await test.storage.index.list(owner!)).sessions.map(({ key }) => key);
    expect(await test.sessions.list('ada')).toHaveLength(1);
    expect(await keys()).toContain('crashed');
    test.clock.advance(31 * SECOND);
    expect(await test.sessions.list('ada')).toHaveLength(1);
    expect(await keys()).toEqual([await refOf(ada)]);
  });

  it('does not lose a session that starts while it cleans itself', async () => {
    const test = await appWith();
    const { index } = test.storage;
    const { owner } = (await test.storage.read(await refOf(await test.signedIn()))).record!;
    const late = { key: 'late', description: {}, keepForMs: null };
    await index.add(owner!, late);
    test.clock.advance(31 * SECOND);
    const read = test.storage.read.bind(test.storage);
    jest.spyOn(test.storage, 'read').mockImplementation(async (key) => {
      const reading = await read(key);
      if (key === 'late') {
        test.clock.advance(1);
        await index.add(owner!, late);
      }
      return reading;
    });
    await test.sessions.list('ada');
    expect((await index.list(owner!)).sessions.map(({ key }) => key)).toContain('late');
  });

  it('costs nothing for people who never come back: their ends take them off the index', async () => {
    const test = await appWith();
    const ada = await test.signedIn();
    const { owner } = (await test.storage.read(await refOf(ada))).record!;
    await ada.post('/idle-session/sign-out').expect(204);
    expect((await test.storage.index.list(owner!)).sessions).toEqual([]);
  });

  it('finds the sessions from before the secret was changed', async () => {
    const [older, newer] = ['the secret until yesterday', 'the secret from today on'];
    const before = await appWith({ session: { secret: older } });
    await before.signedIn();
    const after = await appWith({
      storage: before.storage,
      session: { secret: [newer, older] },
    });
    await after.signedIn();
    expect(await after.sessions.list('ada')).toHaveLength(2);
    expect(await after.sessions.endAll('ada')).toBe(2);
    expect(await before.sessions.list('ada')).toEqual([]);
  });

  it('has one who signed in without a new session id, and the log says what to do, once', async () => {
    const logger = new RecordingLogger();
    const test = await appWith({}, { logger, metadata: { controllers: [SignInWays] } });
    for (const count of [1, 2]) {
      const browser = test.browser();
      await browser.post('/page').send({ note: 'a basket, say' }).expect(200);
      await browser.post('/sign-in-same-id').send({}).expect(200);
      await browser.post('/page').send({ note: 'more' }).expect(200);
      expect(await test.sessions.list('ada')).toHaveLength(count);
    }
    const said = logger.warnings.filter((line) => line.includes('without a new session id'));
    expect(said).toHaveLength(1);
    expect(await test.sessions.endAll('ada')).toBe(2);
  });

  it('needs to know owners, and a storage that has an index', async () => {
    const { sessions } = await start();
    await expect(sessions.list('ada')).rejects.toThrow(
      'IdleSessionService.list() needs option "ownerOf"',
    );
    await expect(sessions.endAll('ada')).rejects.toThrow('needs option "ownerOf"');
  });

  it.each([undefined, '', 7, null])('takes no owner such as %p', async (owner) => {
    const { sessions, signedIn, events } = await appWith();
    await signedIn();
    await expect(sessions.list(owner as string)).rejects.toThrow(TypeError);
    await expect(sessions.endAll(owner as string)).rejects.toThrow(TypeError);
    const ref = events[0]!.sessionRef;
    await expect(sessions.endByRef(ref, { owner: owner as string })).rejects.toThrow(TypeError);
    await expect(sessions.endByRef(ref, { by: (owner ?? '') as string })).rejects.toThrow(
      TypeError,
    );
    expect(await sessions.list('ada')).toHaveLength(1);
  });
});

describe('endByRef()', () => {
  it('ends a session as revoked, with who did it, and removes its data', async () => {
    const store = new expressSession.MemoryStore();
    const test = await appWith({ session: { store } as never });
    const ada = await test.signedIn();
    const ref = await refOf(ada);
    expect(await test.sessions.endByRef(ref, { by: 'an administrator' })).toBe(true);
    expect(endsOf(test)).toMatchObject([
      {
        type: 'ended',
        sessionRef: ref,
        reason: 'revoked',
        cause: 'request',
        endedBy: 'an administrator',
      },
    ]);
    const rows = await new Promise((resolve) => store.all((_, all) => resolve(all)));
    expect(Object.keys(rows as object)).toEqual([]);
    await expectEnded(ada, 'revoked');
    expect(await test.sessions.endByRef(ref)).toBe(false);
  });

  it('ends it only if it is that owner’s, where one is given', async () => {
    const test = await appWith();
    const ref = await refOf(await test.signedIn());
    expect(await test.sessions.endByRef(ref, { owner: 'bob' })).toBe(false);
    expect(await test.sessions.endByRef(ref, { owner: 'ada', reason: 'signed-out' })).toBe(true);
    expect(endsOf(test)).toMatchObject([{ reason: 'signed-out' }]);
  });

  it.each(['idle', 'lost', '', 'for fun'])('takes no reason such as %p', async (reason) => {
    const test = await appWith();
    const ada = await test.signedIn();
    const ref = await refOf(ada);
    await expect(test.sessions.endByRef(ref, { reason: reason as 'revoked' })).rejects.toThrow(
      /reason .* it takes 'signed-out' or 'revoked'/,
    );
    await ada.get('/members').expect(200);
  });

  it.each(['', '#', '#active', '__proto__', 'constructor', 'a'.repeat(22), 'a'.repeat(1e5)])(
    'leaves nothing behind for a reference that is none: %.30s',
    async (ref) => {
      const test = await appWith();
      expect(await test.sessions.endByRef(ref)).toBe(false);
      expect(test.storage.size).toBe(0);
      expect(test.events).toEqual([]);
    },
  );
});

describe('endAll()', () => {
  it('ends all sessions of a person but the one that is kept', async () => {
    const test = await appWith({}, { metadata: { controllers: [KeepingController] } });
    const [ada, other] = [await test.signedIn(), await test.signedIn()];
    const bob = await test.signedIn({ user: 'bob' });
    expect((await ada.post('/end-others').expect(201)).text).toBe('1');
    await expectEnded(other, 'revoked');
    await ada.get('/members').expect(200);
    expect(endsOf(test)).toMatchObject([{ reason: 'revoked', endedBy: 'ada' }]);
    expect(await test.sessions.endAll('ada')).toBe(1);
    await expectEnded(ada, 'revoked');
    await bob.get('/members').expect(200);
  });

  it('also ends a sign-in that is under way', async () => {
    const test = await appWith();
    const { index } = test.storage;
    const plain = index.add.bind(index);
    const added = jest.spyOn(index, 'add').mockImplementation(async (...given) => {
      const addition = await plain(...given);
      // After a change of the password, say: who signs in now did it with the old one.
      expect(await test.sessions.endAll('ada')).toBe(0);
      return addition;
    });
    const ada = test.browser();
    await ada.post('/sign-in').send({});
    expect(added).toHaveBeenCalled();
    await ada.get('/members').expect(401);
    expect(await test.sessions.list('ada')).toEqual([]);
  });
});
