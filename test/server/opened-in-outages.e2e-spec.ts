import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller } from '@nestjs/common';
import type { Request } from 'express';
import { SkipIdleSession, type ActivityStorage } from 'nestjs-idle-session';
import supertest from 'supertest';
import { signInCookie } from '../support/cookies.js';
import { OpenStream } from '../support/open-stream.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { socketApps, type SocketApp } from '../support/socket-app.js';
import { openedStream, StreamsController } from '../support/streams-controller.js';
import { type TestAppOptions } from '../support/test-app.js';

@Controller('exempt-streams')
@SkipIdleSession()
class ExemptStreams extends StreamsController {}

afterEach(() => OpenStream.leaveAll());
const startApp = socketApps();

let test: SocketApp;
async function start(options: TestAppOptions['options'] = {}): Promise<void> {
  test = await startApp({
    options: { onStorageError: 'allow', loginUrl: '/login', ...options },
    metadata: { controllers: [StreamsController, ExemptStreams] },
    logger: new RecordingLogger(),
  });
}
beforeEach(() => StreamsController.reset());

const OPERATIONS = ['read', 'start', 'touch', 'end', 'expire'] as const;

/** @returns ends the outage */
function beAway(): () => void {
  const storage: ActivityStorage = test.storage;
  const spies = OPERATIONS.map((operation) =>
    jest.spyOn(storage, operation).mockRejectedValue(new Error('away')),
  );
  return () => spies.forEach((spy) => spy.mockRestore());
}

const post = (path: string, cookie: string) =>
  supertest(test.app.getHttpServer()).post(path).set('Cookie', cookie);
const opened = (path: string, cookie: string) => openedStream(test.app, path, cookie);
const open = async () => (await test.sessions.stats()).open;

describe('What is exempt and was opened while the storage was away goes on once it is back', () => {
  it.each<[string, string, TestAppOptions['options']]>([
    ['a stream on a route with @SkipIdleSession()', '/exempt-streams/events', {}],
    ['also with @EndsWithSession()', '/exempt-streams/marked-download', {}],
    [
      'a stream that appliesTo says no to',
      '/events',
      { appliesTo: ({ path }: Request) => path !== '/events' },
    ],
    ['a stream of a session that appliesTo says no to', '/events', { appliesTo: () => false }],
  ])('%s', async (_, path, options) => {
    await start(options);
    const cookie = await signInCookie(test);
    const back = beAway();
    const stream = await opened(path, cookie);
    expect(await open()).toBe(0);
    back();
    await post('/idle-session/sign-out', cookie).expect(204);
    StreamsController.pushed.next('data: after\n\n');
    await stream.has('after');
  });
});
