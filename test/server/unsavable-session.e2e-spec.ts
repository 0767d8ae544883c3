import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import type { Request, Response } from 'express';
import { PATIENCE_MS } from '../support/durations.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

function makeUnsavable(request: Request, how: string): void {
  const { session } = request;
  if (how === 'a BigInt') Object.assign(session, { claimId: 1n });
  if (how === 'a circle') Object.assign(session, { itself: session });
  if (how === 'no methods') Object.setPrototypeOf(session, null);
}

@Controller('unsavable')
class UnsavableController {
  @Get()
  get(@Req() request: Request, @Query('how') how: string) {
    makeUnsavable(request, how);
    return {};
  }

  /** Nobody catches what `end()` throws here. */
  @Get('later')
  later(@Req() request: Request, @Res() response: Response, @Query('how') how: string) {
    makeUnsavable(request, how);
    setImmediate(() => response.end('the claim'));
  }

  @Get('streamed')
  streamed(@Req() request: Request, @Res() response: Response, @Query('how') how: string) {
    makeUnsavable(request, how);
    response.write('the ');
    response.end('claim');
  }
}

const ended: string[] = [];

@Controller('ended-with-a-callback')
class CallbackController {
  @Get()
  get(@Res() response: Response) {
    response.end(() => ended.push('called'));
  }
}

it('An answer that ends with a callback, which express-session fails to write, ends once', async () => {
  const logger = new RecordingLogger();
  const test = await start({ logger, metadata: { controllers: [CallbackController] } });
  const ada = await test.signedIn();
  await ada.get('/ended-with-a-callback').timeout(PATIENCE_MS).expect(200);
  expect(ended).toEqual(['called']);
});

describe.each(['a BigInt', 'a circle', 'no methods'])('A session with %s', (how) => {
  const started = async () => {
    const logger = new RecordingLogger();
    const test = await start({ logger, metadata: { controllers: [UnsavableController] } });
    return { test, logger };
  };

  it.each(['/unsavable', '/unsavable/later'])(
    'is a 500 and a line in the log, and no request that hangs: %s',
    async (path) => {
      const { test, logger } = await started();
      const ada = await test.signedIn();
      for (const browser of [ada, test.browser()])
        await browser.get(path).query({ how }).timeout(PATIENCE_MS).expect(500);
      expect(logger.errors.join('\n')).toContain('TypeError');
      await ada.get('/page').expect(200, { user: 'ada' });
    },
  );

  it('does not hold up an answer that has begun', async () => {
    const { test, logger } = await started();
    const ada = await test.signedIn();
    const { text } = await ada
      .get('/unsavable/streamed')
      .query({ how })
      .timeout(PATIENCE_MS)
      .expect(200);
    expect(text).toBe('the claim');
    expect(logger.errors.join('\n')).toContain('TypeError');
    await ada.get('/page').expect(200, { user: 'ada' });
  });
});
