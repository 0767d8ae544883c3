import type { Server } from 'node:http';

/** Has a server keep connections without an end: after the five seconds of Node.js it would close them, also while a client sends. */
export function keepConnections(server: Server): void {
  server.keepAliveTimeout = 0;
}
