import { once } from 'node:events';
import type { Server } from 'node:http';
import { afterAll, jest } from '@jest/globals';
import { Logger, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

/** Timers stay real: of time, only `Date` is the test's. */
const REAL = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;

/** The quick start as it is, on a free port: importing it starts it. Once in a test file. */
export async function startQuickStart(): Promise<INestApplication> {
  jest.useFakeTimers({ doNotFake: [...REAL] });
  Logger.overrideLogger(false);
  process.env.PORT = '0';
  const create = jest.spyOn(NestFactory, 'create');
  await import('../../../apps/minimal/src/main.js');
  const app = (await create.mock.results[0]!.value) as INestApplication;
  const server = app.getHttpServer() as Server;
  if (!server.listening) await once(server, 'listening');
  return app;
}

/** Lets time pass on the server. */
export function passes(milliseconds: number): void {
  jest.setSystemTime(Date.now() + milliseconds);
}

afterAll(() => {
  jest.useRealTimers();
});
