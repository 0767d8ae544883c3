import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { generateKeyPair, type JWTPayload } from 'jose';
import { allowInsecureRequests, Configuration, discovery } from 'openid-client';
import { PricesController } from '../../docs/examples/recipes/streams.js';
import { RESOLVED_OPTIONS } from '../../libs/idle-session/src/options/module-definition.js';
import type { ResolvedOptions } from '../../libs/idle-session/src/options/resolve-options.js';
import { passTime } from '../support/activity-records.js';
import { keepConnections } from '../support/keep-connections.js';
import { OpenIdProvider } from '../support/openid-provider.js';
import { OpenStream } from '../support/open-stream.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { freePort } from '../support/redis-process.js';
import { RedisServer } from '../support/redis-server.js';
import { MINUTE, TestController } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';
import { waitForRedis } from '../support/wait-for-redis.js';

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** What makes the provider ask. */
const ASKS = ['prompt', 'max_age'];
/** The button of the login page. */
const LINK = /href="([^"]+)"/;

let redis: RedisServer;
let provider: OpenIdProvider;
/** Of the app: the provider knows the first process by it. */
let appUrl: string;
/** The second process, behind the same address. */
let otherUrl: string;
const apps: INestApplication[] = [];
const log = new RecordingLogger();

beforeAll(async () => {
  // It speaks of its defaults.
  for (const method of ['info', 'warn'] as const)
    jest.spyOn(console, method).mockImplementation(() => {});
  redis = await RedisServer.start();
  const port = await freePort();
  appUrl = `http://127.0.0.1:${port}`;
  provider = await OpenIdProvider.start({
    client_id: 'claims',
    client_secret: 'a secret between app and provider',
    redirect_uris: [`${appUrl}/login/callback`],
    backchannel_logout_uri: `${appUrl}/login/backchannel-logout`,
    backchannel_logout_session_required: true,
  });
  Object.assign(process.env, { REDIS_URL: redis.url, APP_URL: appUrl });
  await startApp(port);
  otherUrl = await (await startApp(0)).getUrl();
});
afterEach(() => OpenStream.leaveAll());
afterAll(async () => {
  await Promise.all(apps.map((app) => app.close()));
  await provider.close();
  await RedisServer.stopAll();
});

async function startApp(port: number): Promise<INestApplication> {
  // It reads its address when it is loaded.
  const { AppModule } = await import('../../docs/examples/recipes/oidc.js');
  const builder = Test.createTestingModule({
    imports: [AppModule],
    controllers: [TestController, PricesController],
  });
  const module = await waitForRedis(builder)
    .setLogger(log)
    .overrideProvider(Configuration)
    .useFactory({
      factory: () =>
        discovery(
          new URL(provider.issuer),
          'claims',
          'a secret between app and provider',
          undefined,
          {
            execute: [allowInsecureRequests],
          },
        ),
    })
    .compile();
  const app = module.createNestApplication();
  keepConnections(app.getHttpServer());
  await app.listen(port, '127.0.0.1');
  apps.push(app);
  return app;
}

/** From the app's page to the provider and back. */
async function signIn(visitor: Visitor, user = 'ada'): Promise<void> {
  await visitor.visit(`${appUrl}/login?returnTo=%2Fpage`);
  await pressButton(visitor);
  await visitor.send({ login: user, password: 'any' });
  await consent(visitor);
  expect(JSON.parse(visitor.html)).toEqual({ user });
}

async function pressButton(visitor: Visitor): Promise<void> {
  await visitor.visit(LINK.exec(visitor.html)![1]!);
}

/** Asked once. */
async function consent(visitor: Visitor): Promise<void> {
  if (visitor.html.includes('value="consent"')) await visitor.send();
}

async function signedIn(user?: string, servedBy?: string): Promise<Visitor> {
  const visitor = new Visitor(new Map(servedBy ? [[appUrl, servedBy]] : []));
  await signIn(visitor, user);
  return visitor;
}

/** What the app answers this browser. */
const members = async (visitor: Visitor) => {
  await visitor.visit(`${appUrl}/members`, undefined, () => false);
  return visitor.status === 200;
};

const signOutAtProvider = async (visitor: Visitor) => {
  await visitor.visit(`${provider.issuer}/session/end`);
  await visitor.send({ logout: 'yes' });
};

describe('docs/recipes/oidc.md: the sign-in', () => {
  it('the login page says why, and the provider is asked when the person presses the button', async () => {
    const visitor = new Visitor();
    await visitor.visit(`${appUrl}/login?reason=idle&returnTo=%2Fpage`);
    expect(visitor.html).toContain('because you were inactive');
    await visitor.visit(LINK.exec(visitor.html)![1]!, undefined, () => false);
    const asked = Object.fromEntries(new URL(visitor.url).searchParams);
    expect(asked).toMatchObject({ prompt: 'login', max_age: '0' });
    await visitor.visit(visitor.url);
    expect(visitor.url).toMatch(`${provider.issuer}/interaction/`);
    await visitor.visit(`${appUrl}/idle-session/status`);
    expect(JSON.parse(visitor.html)).toMatchObject({ state: 'none' });
  });

  it('the way back leads to no other site', async () => {
    const visitor = new Visitor();
    await visitor.visit(`${appUrl}/login?returnTo=%2F%2Fevil.example`);
    expect(visitor.html).toContain('/login/provider?returnTo=%2F"');
  });

  it('sends the browser on once the session is saved, however slow the store is', async () => {
    const ada = await signedIn();
    await ada.visit(`${appUrl}/login`);
    await pressButton(ada);
    const callback = `${appUrl}/login/callback`;
    await ada.send({ login: 'ada', password: 'any' }, (url) => !url.startsWith(callback));

    const { store } = apps[0]!.get<ResolvedOptions>(RESOLVED_OPTIONS).session;
    const set = store.set.bind(store);
    let saved = 0;
    const slow = jest.spyOn(store, 'set').mockImplementation((id, session, done) => {
      const onSaved = (error: unknown) => {
        saved++;
        done?.(error);
      };
      setTimeout(() => set(id, session, onSaved), 100);
    });
    const headers = { Cookie: ada.cookieFor(appUrl) };
    // As a browser does, it goes on with the head of the answer.
    const { status } = await fetch(ada.url, { headers, redirect: 'manual' });
    expect({ status, saved }).toEqual({ status: 303, saved: 1 });
    slow.mockRestore();
  });

  it('a callback that belongs to no sign-in leads back to the login page', async () => {
    const visitor = new Visitor();
    await visitor.visit(`${appUrl}/login/callback?code=x&state=y`);
    expect(visitor.html).toContain('did not succeed');
  });

  it('after an idle end, the session at the provider signs no stranger in', async () => {
    const ada = await idle();
    await pressButton(ada);
    expect(ada.html).toContain('name="password"');
    await ada.send({ login: 'ada', password: 'any' });
    await consent(ada);
    expect(JSON.parse(ada.html)).toEqual({ user: 'ada' });
  });

  it.each([
    { name: 'takes "max_age", too', maxAge: [], error: /auth_time.* missing/ },
    {
      name: 'raises "max_age"',
      maxAge: [['max_age', '86400']],
      error: /too much time has elapsed/,
    },
  ])(
    'a stranger who takes "prompt" from the address and $name is not signed in either',
    async ({ maxAge, error }) => {
      const ada = await idle();
      // The password was given as long ago at the provider.
      const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 16 * MINUTE);
      try {
        await ada.visit(`${appUrl}/login/provider`, undefined, () => false);
        const address = new URL(ada.url);
        const kept = Array.from(address.searchParams).filter(([name]) => !ASKS.includes(name));
        address.search = String(new URLSearchParams([...kept, ...maxAge]));
        await ada.visit(address.href);
      } finally {
        now.mockRestore();
      }
      // The provider asked nothing.
      expect(ada.html).toContain('did not succeed');
      expect(log.warnings.at(-1)).toMatch(error);
      expect(await members(ada)).toBe(false);
    },
  );

  /** A browser whose session has ended, on the login page. The other process serves it from now on. */
  async function idle(): Promise<Visitor> {
    const servedBy = new Map<string, string>();
    const visitor = new Visitor(servedBy);
    await signIn(visitor);
    const { storage } = apps[0]!.get<ResolvedOptions>(RESOLVED_OPTIONS);
    // What the first process noted would count as activity after that time.
    await (storage as RedisActivityStorage).flush();
    await passTime(await redis.client(), 16 * MINUTE);
    servedBy.set(appUrl, otherUrl);
    await visitor.visit(`${appUrl}/page`);
    expect(visitor.html).toContain('because you were inactive');
    return visitor;
  }
});

describe('docs/recipes/oidc.md: back-channel logout', () => {
  it('a sign-out at the provider ends the session in another process, with what it has open', async () => {
    const ada = await signedIn('ada', otherUrl);
    const elsewhere = await signedIn('ada');
    const [, other] = apps as [INestApplication, INestApplication];
    const stream = await OpenStream.open(other, '/prices', { cookie: ada.cookieFor(appUrl) });
    await stream.has('price');
    await signOutAtProvider(ada);
    expect(provider.failures).toEqual([]);
    expect(await stream.end()).toBe('whole');
    await ada.visit(`${appUrl}/page`);
    expect(ada.html).toContain('You were signed out.');
    // Her session on another device is one of its own at the provider.
    expect(await members(elsewhere)).toBe(true);
  });

  const claims = (more: JWTPayload = {}): JWTPayload => {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: provider.issuer,
      aud: 'claims',
      iat: now,
      exp: now + 120,
      jti: crypto.randomUUID(),
      sub: 'eve',
      events: { [LOGOUT_EVENT]: {} },
      ...more,
    };
  };

  const post = (logout_token: string) =>
    fetch(`${appUrl}/login/backchannel-logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token }),
    });

  it('a token with "sub" alone ends all sessions of the person, and none of others', async () => {
    const [eve, phone, ada] = [
      await signedIn('eve'),
      await signedIn('eve', otherUrl),
      await signedIn('ada'),
    ];
    const answer = await post(await provider.sign(claims()));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toContain('no-store');
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await members(eve)).toBe(false);
    expect(await members(phone)).toBe(false);
    expect(await members(ada)).toBe(true);
  });

  it('a token with "sid" alone ends the sessions of that sign-in', async () => {
    const [eve, phone] = [await signedIn('eve'), await signedIn('eve')];
    const sid = await sidOf(eve);
    expect((await post(await provider.sign(claims({ sub: undefined, sid })))).status).toBe(200);
    expect(await members(eve)).toBe(false);
    expect(await members(phone)).toBe(true);
  });

  async function sidOf(visitor: Visitor): Promise<string> {
    const [, id] = /=s:(.+)\.[^.]+$/.exec(decodeURIComponent(visitor.cookieFor(appUrl)))!;
    const row = await (await redis.client()).get(`sess:${id}`);
    return JSON.parse(row!).sid;
  }

  it('a token for a session that is over, or never was, is taken', async () => {
    const token = await provider.sign(claims({ sub: undefined, sid: 'unknown' }));
    expect((await post(token)).status).toBe(200);
  });

  it.each<[string, () => JWTPayload]>([
    ['of another issuer', () => claims({ iss: 'https://evil.example' })],
    ['for another client', () => claims({ aud: 'another' })],
    ['that has expired', () => claims({ exp: Math.floor(Date.now() / 1000) - 60 })],
    ['without an expiry', () => claims({ exp: undefined })],
    ['that is old', () => claims({ iat: Math.floor(Date.now() / 1000) - 3600 })],
    ['without the time of its issue', () => claims({ iat: undefined })],
    ['without an id', () => claims({ jti: undefined })],
    ['without the event', () => claims({ events: {} })],
    ['without events', () => claims({ events: undefined })],
    ['with a nonce', () => claims({ nonce: 'of an ID token' })],
    ['that names nobody', () => claims({ sub: undefined })],
    ['with a "sid" that is no text', () => claims({ sid: 1 })],
  ])('refuses a token %s', async (_, payload) => {
    const eve = await signedIn('eve');
    await refuses(await provider.sign(payload()));
    expect(await members(eve)).toBe(true);
  });

  it('refuses a token that is not signed by the provider, and what is no token', async () => {
    const eve = await signedIn('eve');
    const { privateKey } = await generateKeyPair('RS256');
    await refuses(await provider.sign(claims(), privateKey));
    const encoded = [{ alg: 'none' }, claims()].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    await refuses(`${encoded.join('.')}.`);
    await refuses('');
    expect(await members(eve)).toBe(true);
  });

  async function refuses(token: string): Promise<void> {
    const answer = await post(token);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('cache-control')).toContain('no-store');
    expect(await answer.json()).toEqual({ error: 'invalid_request' });
  }

  it('takes a token once', async () => {
    const token = await provider.sign(claims());
    expect((await post(token)).status).toBe(200);
    const eve = await signedIn('eve');
    await refuses(token);
    expect(await members(eve)).toBe(true);
  });
});
