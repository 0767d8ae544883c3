import type { Server } from 'node:http';

/** Has a server keep idle connections: by default Node.js closes one after five seconds, also while a client sends. */
export function keepConnections(server: Server): void {
  server.keepAliveTimeout = 0;
}
