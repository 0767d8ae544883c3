import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ApolloServerPlugin } from '@apollo/server';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { GraphQLModule, Query, Resolver } from '@nestjs/graphql';
import type { Request, Response } from 'express';
import { EndsWithSession, IdleSessionService } from 'nestjs-idle-session';
import { lastValueFrom, map, take } from 'rxjs';
import supertest from 'supertest';
import { signInCookie } from '../support/cookies.js';
import { OpenStream } from '../support/open-stream.js';
import { StreamsController } from '../support/streams-controller.js';
import type { TestApp } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';
import { until } from '../support/until.js';

@Resolver()
class NewsResolver {
  @Query(() => String)
  news() {
    return 'the first part';
  }

  @Query(() => String)
  @EndsWithSession()
  markedNews() {
    return 'the first part';
  }
}

/** What the test pushes, part after part. */
async function* parts() {
  for (;;) {
    const next = StreamsController.pushed.pipe(
      take(1),
      map((data) => ({ hasNext: true as const, incremental: [{ path: [], data: { data } }] })),
    );
    yield await lastValueFrom(next);
  }
}

/** Answers each query in parts, as Apollo does it for `@defer` on a graphql that has that. */
const inParts: ApolloServerPlugin = {
  requestDidStart: async () => ({
    async willSendResponse({ response }) {
      if (response.body.kind !== 'single') return;
      const initialResult = { ...response.body.singleResult, hasNext: true };
      response.body = { kind: 'incremental', initialResult, subsequentResults: parts() } as never;
    },
  }),
};

afterEach(() => OpenStream.leaveAll());
const start = testApps();

let test: TestApp;
let cookie: string;
beforeEach(async () => {
  StreamsController.reset();
  test = await start({
    metadata: {
      imports: [
        GraphQLModule.forRoot<ApolloDriverConfig>({
          driver: ApolloDriver,
          autoSchemaFile: true,
          plugins: [inParts],
        }),
      ],
      providers: [NewsResolver],
    },
    configure: (app) => {
      // As graphql-sse has it with a single connection: open before any operation has come.
      const stream = (_: Request, response: Response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
        response.write(': open\n\n');
        StreamsController.pushed.subscribe((text) => response.write(text));
      };
      app.use('/unprotected/stream', stream);
      app.use('/graphql/stream', app.get(IdleSessionService).protect(), stream);
    },
  });
  await test.app.listen(0, '127.0.0.1');
  cookie = await signInCookie(test);
});

const signOut = () =>
  supertest(test.app.getHttpServer())
    .post('/idle-session/sign-out')
    .set('Cookie', cookie)
    .expect(204);

/** A query that has had its first part. */
async function opened(query: string): Promise<OpenStream> {
  const headers = {
    Accept: 'multipart/mixed; deferSpec=20220824',
    'Apollo-Require-Preflight': 'true',
  };
  const path = `/graphql?query=${encodeURIComponent(query)}`;
  const stream = await OpenStream.open(test.app, path, { cookie, headers });
  expect(stream.headers['content-type']).toMatch(/^multipart\/mixed/);
  await stream.has('the first part');
  return stream;
}

const push = async (stream: OpenStream, text: string) => {
  await until('the server waits', () => StreamsController.pushed.observed);
  StreamsController.pushed.next(text);
  await stream.has(text);
};

describe('A GraphQL answer in parts', () => {
  it('is cut off when its session ends, if its resolver is marked', async () => {
    const stream = await opened('{ markedNews }');
    await push(stream, 'before');
    await signOut();
    expect(await stream.end()).toBe('cut');
  });

  it('goes on without the mark', async () => {
    const stream = await opened('{ news }');
    await push(stream, 'before');
    await signOut();
    await push(stream, 'after');
  });
});

describe('A GraphQL stream of events that is open before any resolver was called', () => {
  it('ends with its session behind protect()', async () => {
    const stream = await OpenStream.open(test.app, '/graphql/stream', { cookie });
    await signOut();
    expect(await stream.end()).toBe('whole');
    expect(stream.received).toContain('"reason":"signed-out"');
    expect((await OpenStream.open(test.app, '/graphql/stream', { cookie })).status).toBe(200);
  });

  it('goes on without that', async () => {
    const stream = await OpenStream.open(test.app, '/unprotected/stream', { cookie });
    await signOut();
    await push(stream, 'after');
  });
});
