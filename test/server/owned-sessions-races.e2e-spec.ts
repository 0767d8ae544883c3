import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { IdleSessionService } from 'nestjs-idle-session';
import { ConfirmController } from '../support/confirm-controller.js';
import { Gate } from '../support/gate.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { SignInWays } from '../support/sign-in-ways.js';
import { MINUTE, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

/** Confirms as apps write it that do more than that. */
@Controller()
class ConfirmWays {
  constructor(private readonly sessions: IdleSessionService) {}

  /** The person changes the password: nothing else is to stay signed in. */
  @Post('change-password')
  @HttpCode(200)
  async changePassword(@Req() request: Request) {
    const { user } = request.session;
    if (request.query.gate !== undefined) await Gate.of(request.query.gate).pass();
    await this.sessions.confirm(request);
    return { ended: await this.sessions.endAll(user!, { except: request }) };
  }

  @Post('confirm-twice-at-once')
  @HttpCode(200)
  async confirmTwice(@Req() request: Request) {
    const confirms = [this.sessions.confirm(request), this.sessions.confirm(request)];
    const answers = await Promise.all(confirms);
    return { answers, listed: await this.sessions.list('ada', { current: request }) };
  }

  /** A sign-in by a confirm: the session of a visitor goes on as that of a person. */
  @Post('sign-in-by-confirm')
  @HttpCode(200)
  async signInByConfirm(@Req() request: Request) {
    request.session.user = 'ada';
    await this.sessions.confirm(request);
    return {};
  }
}

const start = testApps();
const ownerOf = ({ session }: Request) => session?.user;

const appWith = (options: TestAppOptions['options'] = {}, more: TestAppOptions = {}) =>
  start({
    metadata: { controllers: [ConfirmController, ConfirmWays, SignInWays] },
    ...more,
    options: { ownerOf, ...options },
  });

/** Lets something happen between what the list of the index says and what is made of it. */
function afterTheList({ storage }: TestApp, happen: () => Promise<unknown>) {
  const { index } = storage;
  const list = index.list.bind(index);
  jest.spyOn(index, 'list').mockImplementationOnce(async (owner) => {
    const reading = await list(owner);
    await happen();
    return reading;
  });
}

async function visitor(test: TestApp) {
  const browser = test.browser();
  await browser.post('/page').send({ note: 'a basket, say' }).expect(200);
  return browser;
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('endAll() and a confirm at once', () => {
  it('leave no session alive, where the confirm is done before its records are read', async () => {
    const test = await appWith();
    const ada = await test.signedIn();
    afterTheList(test, () => ada.post('/confirm').expect(200));
    expect(await test.sessions.endAll('ada')).toBe(1);
    await ada.get('/members').expect(401);
    expect(await test.sessions.list('ada')).toEqual([]);
  });

  it('leave no session alive, where the confirm is done before the old one is ended', async () => {
    const test = await appWith();
    const ada = await test.signedIn();
    const end = test.storage.end.bind(test.storage);
    jest.spyOn(test.storage, 'end').mockImplementationOnce(async (...given) => {
      await ada.post('/confirm').expect(200);
      return end(...given);
    });
    expect(await test.sessions.endAll('ada')).toBe(1);
    await ada.get('/members').expect(401);
    expect(await test.sessions.list('ada')).toEqual([]);
  });

  it('tell of no start of a session that was ended before it', async () => {
    const test = await appWith();
    const ada = await test.signedIn();
    const { index } = test.storage;
    const add = index.add.bind(index);
    const ref = (await test.sessions.list('ada'))[0]!.ref;
    jest.spyOn(index, 'add').mockImplementationOnce(async (owner, session, limit) => {
      const addition = await add(owner, session, limit);
      await test.storage.end(session.key, 'revoked');
      return addition;
    });
    await ada.post('/confirm').expect(503);
    expect(test.events.filter(({ type }) => type === 'started')).toHaveLength(1);
    await ada.get('/members').expect(200);
    expect((await test.sessions.list('ada')).map((session) => session.ref)).toEqual([ref]);
  });

  it('keep the session of a form that was sent twice', async () => {
    const test = await appWith();
    const ada = await test.signedIn();
    const other = await test.signedIn();
    const gate = new Gate();
    const second = ada.post(`/change-password?gate=${gate.name}`).then((answer) => answer);
    await gate.reached;
    await ada.post('/change-password').expect(200, { ended: 1 });
    gate.open();
    expect((await second).status).toBe(503);
    await ada.get('/members').expect(200);
    await other.get('/members').expect(401);
  });
});

it('A handler that confirms twice at once goes on with the session, which the list has once, as the current one', async () => {
  const test = await appWith();
  const ada = await test.signedIn();
  const { body } = await ada.post('/confirm-twice-at-once').expect(200);
  expect(body).toMatchObject({ answers: [true, true], listed: [{ current: true }] });
  expect(body.listed).toHaveLength(1);
  await ada.get('/members').expect(200);
});

describe('A session that passes from one person to another without a new id', () => {
  it('is in the lists of both, and either ends it', async () => {
    const test = await appWith();
    for (const owner of ['ada', 'bob']) {
      const browser = await test.signedIn({ user: 'bob' });
      await browser.post('/sign-in-same-id').send({ user: 'ada' }).expect(200);
      expect(await test.sessions.list('bob')).toHaveLength(1);
      expect(await test.sessions.list('ada')).toHaveLength(1);
      expect(await test.sessions.endAll(owner)).toBe(1);
      await browser.get('/members').expect(401);
    }
  });

  it('is in the list of the one who started it once it passed back', async () => {
    const test = await appWith();
    const browser = await test.signedIn({ user: 'bob' });
    for (const user of ['ada', 'bob', 'ada', 'bob'])
      await browser.post('/sign-in-same-id').send({ user }).expect(200);
    expect(await test.sessions.endAll('bob')).toBe(1);
    await browser.get('/members').expect(401);
  });

  it('takes a place of the person who has it now', async () => {
    const test = await appWith({ maxSessions: 1 });
    const ada = await test.signedIn();
    const browser = await test.signedIn({ user: 'bob' });
    await browser.post('/sign-in-same-id').send({ user: 'ada' }).expect(200);
    await ada.get('/members').expect(401);
    expect(await test.sessions.list('ada')).toHaveLength(1);
  });
});

describe('maxSessions', () => {
  it('holds for a sign-in by confirm()', async () => {
    const test = await appWith({ maxSessions: 1 });
    const ada = await test.signedIn();
    const browser = await visitor(test);
    await browser.post('/sign-in-by-confirm').expect(200);
    await browser.get('/members').expect(200);
    await ada.get('/members').expect(401);
    expect(await test.sessions.list('ada')).toHaveLength(1);
  });

  it('refuses a sign-in by confirm()', async () => {
    const test = await appWith({ maxSessions: 1, onMaxSessions: 'refuse' });
    const ada = await test.signedIn();
    const browser = await visitor(test);
    await browser.post('/sign-in-by-confirm').expect(409);
    await ada.get('/members').expect(200);
    await browser.get('/members').expect(401);
    expect(await test.sessions.list('ada')).toHaveLength(1);
  });

  it.each(['end-oldest', 'refuse'] as const)(
    'lets a person confirm who signed in without a new session id (%s)',
    async (onMaxSessions) => {
      const test = await appWith({ maxSessions: 2, onMaxSessions });
      const other = await test.signedIn();
      const browser = await visitor(test);
      await browser.post('/sign-in-same-id').send({}).expect(200);
      await browser.post('/confirm').expect(200);
      await browser.get('/members').expect(200);
      await other.get('/members').expect(200);
      expect(await test.sessions.list('ada')).toHaveLength(2);
    },
  );

  it('holds where the person confirms elsewhere while a sign-in looks for the oldest', async () => {
    const test = await appWith({ maxSessions: 1 });
    const ada = await test.signedIn();
    const { index } = test.storage;
    const add = index.add.bind(index);
    jest.spyOn(index, 'add').mockImplementationOnce(async (...given) => {
      const addition = await add(...given);
      await ada.post('/confirm').expect(200);
      return addition;
    });
    await test.browser().post('/sign-in').send({});
    expect(await test.sessions.list('ada')).toHaveLength(1);
  });

  it('holds where the person confirms elsewhere before a sign-in ends the oldest', async () => {
    const test = await appWith({ maxSessions: 2 });
    const ada = await test.signedIn();
    const other = await test.signedIn();
    const end = test.storage.end.bind(test.storage);
    jest.spyOn(test.storage, 'end').mockImplementationOnce(async (...given) => {
      await ada.post('/confirm').expect(200);
      return end(...given);
    });
    await test.browser().post('/sign-in').send({});
    expect(await test.sessions.list('ada')).toHaveLength(2);
    await ada.get('/members').expect(200);
    await other.get('/members').expect(401);
  });

  it('counts no late sign-in whose time is up', async () => {
    const logger = new RecordingLogger();
    const test = await appWith(
      { maxSessions: 1, onMaxSessions: 'refuse' },
      { logger, metadata: { controllers: [SignInWays] } },
    );
    const browser = await visitor(test);
    await browser.post('/sign-in-same-id').send({}).expect(200);
    test.clock.advance(15 * MINUTE);
    await test.browser().post('/sign-in').send({}).expect(200);
  });
});

describe('A confirm while requests go unchecked', () => {
  it('is answered 503, and no other status, since nobody can confirm', async () => {
    const test = await appWith(
      { onStorageError: 'allow' },
      { logger: new RecordingLogger(), metadata: { controllers: [ConfirmController] } },
    );
    const ada = await test.signedIn();
    jest.spyOn(test.storage, 'read').mockRejectedValue(new Error('away'));
    await ada.post('/confirm').expect(503);
    jest.restoreAllMocks();
    await ada.get('/members').expect(200);
  });
});
