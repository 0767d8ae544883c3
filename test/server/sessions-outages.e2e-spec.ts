import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Request } from 'express';
import { RecordingLogger } from '../support/recording-logger.js';
import type { Browser } from '../support/requests.js';
import type { TestApp, TestAppOptions } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();
const ownerOf = ({ session }: Request) => session?.user;
const away = () => Promise.reject(new Error('away'));

afterEach(() => {
  jest.restoreAllMocks();
});

const appWith = (options: TestAppOptions['options'] = {}) =>
  start({
    logger: new RecordingLogger(),
    options: { ownerOf, sessionsEndpoint: true, storageTimeout: 200, ...options },
  });

type Ask = (browser: Browser, ref: string) => ReturnType<Browser['get']>;

const LIST: Ask = (browser) => browser.get('/idle-session/sessions');
const END: Ask = (browser, ref) => browser.delete(`/idle-session/sessions/${ref}`);
const END_OTHERS: Ask = (browser) => browser.delete('/idle-session/sessions');

type Trouble = (test: TestApp) => void;

const NOTHING_READ: Trouble = ({ storage }) =>
  void jest.spyOn(storage, 'read').mockImplementation(away);
const NO_INDEX: Trouble = ({ storage: { index } }) =>
  void jest.spyOn(index, 'list').mockImplementation(away);
const HANGING_INDEX: Trouble = ({ storage: { index } }) =>
  void jest.spyOn(index, 'list').mockImplementation(() => new Promise(() => {}));
const NO_END: Trouble = ({ storage }) => void jest.spyOn(storage, 'end').mockImplementation(away);

describe.each(['reject', 'allow'] as const)('The sessions endpoint (%s)', (onStorageError) => {
  it.each<[string, string, Ask, Trouble]>([
    ['the list', 'no record can be read', LIST, NOTHING_READ],
    ['the list', 'the index is away', LIST, NO_INDEX],
    ['the list', 'the index hangs', LIST, HANGING_INDEX],
    ['the end of one', 'no record can be read', END, NOTHING_READ],
    ['the end of one', 'no end is taken', END, NO_END],
    ['the end of others', 'no record can be read', END_OTHERS, NOTHING_READ],
    ['the end of others', 'the index hangs', END_OTHERS, HANGING_INDEX],
    ['the end of others', 'the index is away', END_OTHERS, NO_INDEX],
    ['the end of others', 'no end is taken', END_OTHERS, NO_END],
  ])('answers 503 and changes nothing: %s, while %s', async (_, __, ask, trouble) => {
    const test = await appWith({ onStorageError });
    const [ada, other] = [await test.signedIn(), await test.signedIn()];
    const ref = test.events[1]!.sessionRef;
    trouble(test);
    const answer = await ask(ada, ref);
    expect(answer.status).toBe(503);
    jest.restoreAllMocks();
    await ada.get('/members').expect(200);
    await other.get('/members').expect(200);
    await ask(ada, ref).expect(ask === END ? 204 : 200);
  });

  it.each([NO_INDEX, HANGING_INDEX])(
    'ends one without the index, by what its record says',
    async (trouble) => {
      const test = await appWith({ onStorageError });
      const [ada, other] = [await test.signedIn(), await test.signedIn()];
      trouble(test);
      await END(ada, test.events[1]!.sessionRef).expect(204);
      await other.get('/members').expect(401);
    },
  );
});

it('The draft key is answered 503 while other requests go unchecked', async () => {
  const test = await appWith({ onStorageError: 'allow' });
  const ada = await test.signedIn();
  NOTHING_READ(test);
  await ada.get('/idle-session/draft-key').expect(503);
  jest.restoreAllMocks();
  await ada.get('/idle-session/draft-key').expect(200);
});
