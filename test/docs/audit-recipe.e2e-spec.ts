import { describe, expect, it } from '@jest/globals';
import { EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import supertest from 'supertest';
import { AuditModule, auditLogTo } from '../../docs/examples/recipes/audit-log.js';
import { ClaimEditors, SessionEventForwarder } from '../../docs/examples/recipes/event-emitter.js';
import { OpenSessions } from '../../libs/idle-session/src/session/open/open-sessions.js';
import { cookiesOf, sessionIdOf } from '../support/cookies.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { MINUTE, type TestAppOptions } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';
import { until } from '../support/until.js';

const start = testApps();

describe('docs/recipes/audit.md', () => {
  /** The app of the recipe, and the lines that it logs. */
  async function startAudited(options: TestAppOptions['options'] = {}) {
    const lines: string[] = [];
    const { provide, useFactory } = auditLogTo({ write: (line) => void lines.push(line) });
    const test = await start({
      metadata: { imports: [AuditModule] },
      override: (builder) => builder.overrideProvider(provide).useFactory({ factory: useFactory }),
      options,
    });
    const entries = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    return { ...test, lines, entries };
  }

  it('each start and each end is one line, with times, cause and reason', async () => {
    const { app, clock, sessions, signedIn, entries } = await startAudited();
    const signInAt = new Date(clock.now()).toISOString();
    const ada = await signedIn();
    clock.advance(15 * MINUTE);
    await ada.get('/page').expect(401);
    const bob = await supertest(app.getHttpServer()).post('/sign-in').expect(200);
    await sessions.revoke(sessionIdOf(cookiesOf(bob)), { by: 'an administrator' });

    const [started, expired, , revoked] = entries();
    expect(entries()).toHaveLength(4);
    expect(started).toMatchObject({ event: 'session.started', at: signInAt });
    expect(expired).toMatchObject({
      event: 'session.expired',
      session: started!.session,
      startedAt: signInAt,
      lastActivityAt: signInAt,
      at: new Date(clock.now()).toISOString(),
      cause: 'request',
      reason: 'idle',
    });
    expect(revoked).toMatchObject({
      event: 'session.ended',
      reason: 'revoked',
      endedBy: 'an administrator',
    });
  });

  it('lines have the hash of the owner, never the owner, a session id or a cookie', async () => {
    const { app, lines, entries } = await startAudited({
      ownerOf: ({ session }) => session.user && `user ${session.user}`,
    });
    const signIn = await supertest(app.getHttpServer()).post('/sign-in').send({ user: 'grace' });
    const cookie = cookiesOf(signIn);
    await supertest(app.getHttpServer()).post('/sign-out').set('Cookie', cookie).expect(204);
    expect(entries().map(({ event }) => event)).toEqual(['session.started', 'session.ended']);
    for (const { owner } of entries()) expect(owner).toMatch(/^[\w-]{6,}$/);
    expect(lines.join('')).not.toMatch(/grace/);
    expect(lines.join('')).not.toContain(sessionIdOf(cookie));
  });

  it('an end that another process decided has its line there, and none here', async () => {
    const { storage, events: eventsThere, signedIn } = await start({});
    const { app, entries, events } = await startAudited({ storage });
    const ada = await signedIn();
    app.get(OpenSessions).hold({ ref: eventsThere[0]!.sessionRef, hasRecord: true }, () => {});
    await ada.post('/sign-out').expect(204);
    await until('it was learned here', () => events.length > 0);
    expect(events).toMatchObject([{ type: 'ended', cause: 'elsewhere' }]);
    expect(entries()).toEqual([]);
  });

  it('listeners of the app are told, and what they throw harms nobody', async () => {
    class Broken {
      @OnEvent('session.*')
      listen() {
        throw new Error('broken on purpose');
      }
    }
    const logger = new RecordingLogger();
    const { app, clock, events, signedIn } = await start({
      metadata: {
        imports: [EventEmitterModule.forRoot({ wildcard: true })],
        providers: [SessionEventForwarder, Broken, ClaimEditors],
      },
      logger,
    });
    const { editors } = app.get(ClaimEditors);
    const ada = await signedIn();
    editors.set(7, events[0]!.sessionRef);
    editors.set(8, 'another session');
    clock.advance(15 * MINUTE);
    await ada.get('/page').expect(401);
    expect([...editors.keys()]).toEqual([8]);
    expect(logger.errors).toHaveLength(2);

    const bob = await signedIn();
    editors.set(9, events.at(-1)!.sessionRef);
    await bob.post('/sign-out').expect(204);
    expect([...editors.keys()]).toEqual([8]);
  });
});
