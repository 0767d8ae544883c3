import { afterAll, describe, expect, it } from '@jest/globals';
import { IdleSessionService } from 'nestjs-idle-session';
import { closeApps, listen } from '../../bench/support/app.js';
import { lookUp, signIn } from '../../bench/support/known-sessions.js';
import { ours } from '../../bench/support/ours.js';

describe('The bench', () => {
  afterAll(closeApps);

  it('signs people in, whom the app knows then, and nobody else', async () => {
    const { app } = await listen({ imports: [ours({})] });
    await signIn(app, 3);
    await expect(app.get(IdleSessionService).stats()).resolves.toMatchObject({ active: 3 });
    await lookUp(app, 3);
    await expect(lookUp(app, 4)).rejects.toThrow('a session is lost');
  });
});
