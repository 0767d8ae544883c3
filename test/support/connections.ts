import type { Server } from 'node:net';
import type { TestApp } from './test-app.js';

/** How many connections the server of an app has open. */
export function connectionsOf({ app }: Pick<TestApp, 'app'>): Promise<number> {
  return new Promise((resolve, reject) => {
    (app.getHttpServer() as Server).getConnections((error, count) =>
      error ? reject(error) : resolve(count),
    );
  });
}
