import { once } from 'node:events';
import type { Server } from 'node:http';
import { afterAll, jest } from '@jest/globals';
import { Logger, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

const startedAt = performance.now();
let passedMs = 0;

/** The quick start as it is, on a free port: importing it starts it. Once in a test file. */
export async function startQuickStart(): Promise<INestApplication> {
  // The clock that memory goes by stands still until the test says otherwise. Timers stay real.
  jest.spyOn(performance, 'now').mockImplementation(() => startedAt + passedMs);
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
  passedMs += milliseconds;
}

afterAll(() => {
  jest.restoreAllMocks();
});
