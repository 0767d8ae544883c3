import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { ActivityStorage } from 'nestjs-idle-session';
import supertest from 'supertest';
import { sessionRef } from '../../libs/idle-session/src/session/session-ref.js';
import { sessionIdOf, signInCookie } from '../support/cookies.js';
import { SECOND } from '../support/durations.js';
import { OpenStream } from '../support/open-stream.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { socketApps, type SocketApp } from '../support/socket-app.js';
import { StreamsController } from '../support/streams-controller.js';
import type { TestAppOptions } from '../support/test-app.js';
import { until } from '../support/until.js';

@Controller()
class SigningOutController {
  @Get('last-events')
  async last(@Req() request: Request, @Res() response: Response) {
    await new Promise((done) => request.session.destroy(done));
    await StreamsController.gate.pass();
    response.set('Content-Type', 'text/event-stream').flushHeaders();
  }
}

afterEach(() => OpenStream.leaveAll());
const startApp = socketApps();

let test: SocketApp;
let cookie: string;

async function signIn(options: TestAppOptions['options'] = {}): Promise<void> {
  test = await startApp({
    options: { onStorageError: 'reject', ...options },
    metadata: { controllers: [StreamsController, SigningOutController] },
    logger: new RecordingLogger(),
  });
  cookie = await signInCookie(test);
}
beforeEach(() => StreamsController.reset());

const post = (path: string) =>
  supertest(test.app.getHttpServer()).post(path).set('Cookie', cookie).expect(204);

const WRITES = ['start', 'touch', 'end', 'expire'] as const;

function beAway(operations: readonly ('read' | (typeof WRITES)[number])[]): void {
  const storage: ActivityStorage = test.storage;
  for (const operation of operations)
    jest.spyOn(storage, operation).mockRejectedValue(new Error('away'));
}

/** A stream of a request that was let in before that happened, and begins after it. */
async function openAfter(
  happens: () => Promise<unknown>,
  path = '/late-events',
): Promise<OpenStream> {
  const opening = OpenStream.open(test.app, path, { cookie });
  await StreamsController.gate.reached;
  await happens().finally(() => StreamsController.gate.open());
  return opening;
}

/** Long before the deadline that the request knew. */
async function expectToEnd(stream: OpenStream): Promise<void> {
  const took = await until('the stream ends', () => stream.outcome !== undefined);
  expect(took).toBeLessThan(4 * SECOND);
}

describe('A stream that begins when its session has ended, and the storage is away by then, does not stay open', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['by a sign-out', () => post('/idle-session/sign-out')],
    ['by the app', () => test.sessions.revoke(sessionIdOf(cookie))],
    ['by a new id', () => post('/regenerate')],
    ['in another process', () => test.storage.end(sessionRef(sessionIdOf(cookie)), 'revoked')],
  ])('%s', async (_, end) => {
    await signIn();
    const stream = await openAfter(async () => {
      await end();
      // This process could have heard of it.
      await delay(100);
      beAway(['read', ...WRITES]);
    });
    await expectToEnd(stream);
  });

  it('by its own request', async () => {
    await signIn();
    const stream = await openAfter(async () => beAway(['read', ...WRITES]), '/last-events');
    await expectToEnd(stream);
  });
});

describe('A stream that begins after a sign-out that the storage does not take ends at once', () => {
  it.each([
    ['while it is away', 'allow', ['read', ...WRITES]],
    ['while it takes no writes', 'reject', WRITES],
  ] as const)('%s', async (_, onStorageError, operations) => {
    await signIn({ onStorageError });
    const stream = await openAfter(async () => {
      beAway(operations);
      await post('/idle-session/sign-out');
    });
    await expectToEnd(stream);
  });
});
