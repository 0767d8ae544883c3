import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Request, RequestHandler } from 'express';
import { IdleSessionService } from 'nestjs-idle-session';
import { Gate } from '../support/gate.js';
import { MINUTE, SECOND, type TestApp } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';
import type { Browser } from '../support/requests.js';

const startApp = testApps();
afterEach(() => void jest.restoreAllMocks());

let gate: Gate;
let handled: number;

@Controller()
class UploadController {
  @Post('upload')
  @HttpCode(200)
  upload(@Req() request: Request) {
    handled++;
    return { user: request.session.user ?? null };
  }
}

/** As one that waits for a body that its client sends slowly. */
const slow: RequestHandler = (request, _, next) => {
  if (request.path === '/upload') void gate.pass().then(() => next());
  else next();
};

/** An app that mounts the session in front of what reads the body. */
async function start(): Promise<{ test: TestApp; ada: Browser }> {
  gate = new Gate();
  handled = 0;
  const test = await startApp({
    metadata: { controllers: [UploadController] },
    configure: (app) => app.use(app.get(IdleSessionService).middleware(), slow),
  });
  return { test, ada: await test.signedIn() };
}

/** Sends a request that is passive, so that nothing asks the storage but the guard. */
async function upload(ada: Browser, meanwhile: () => unknown) {
  const answer = ada
    .post('/upload')
    .set('Idle-Session', 'passive')
    .then((response) => response);
  await gate.reached;
  await meanwhile();
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + 2 * SECOND);
  gate.open();
  return answer;
}

describe('A request that takes its time to the guard', () => {
  it.each<[string, (test: TestApp, ada: Browser) => unknown, string]>([
    ['was signed out', (_, ada) => ada.post('/idle-session/sign-out').expect(204), 'signed-out'],
    ['idled out', ({ clock }) => clock.advance(15 * MINUTE), 'idle'],
  ])('runs no handler if its session %s meanwhile', async (_, end, reason) => {
    const { test, ada } = await start();
    const { status, body } = await upload(ada, () => end(test, ada));
    expect({ status, reason: body.reason }).toEqual({ status: 401, reason });
    expect(handled).toBe(0);
  });

  it('passes if its session goes on', async () => {
    const { ada } = await start();
    const { status, body } = await upload(ada, () => {});
    expect({ status, body }).toEqual({ status: 200, body: { user: 'ada' } });
  });
});
