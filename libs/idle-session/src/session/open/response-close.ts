import type { Socket } from 'node:net';
import type { Response } from 'express';

/** By connection, what to call for the responses in its queue: one listener each, however many there are. */
const queues = new WeakMap<Socket, Set<() => void>>();

/** Whether nothing of a response can be delivered any more. */
export function isClosed(response: Response): boolean {
  return response.destroyed || response.req.socket?.destroyed;
}

/**
 * Calls back once a response that is not closed has closed; perhaps twice. To a response that waits behind others of its
 * connection, for a client that sends requests without waiting for answers, Node does not tell that its client has left.
 */
export function onceClosed(response: Response, listener: () => void): void {
  response.once('close', listener);
  if (response.socket !== null) return;
  const queue = queueOf(response.req.socket);
  queue.add(listener);
  response.once('close', () => queue.delete(listener));
}

function queueOf(socket: Socket): Set<() => void> {
  const known = queues.get(socket);
  if (known) return known;
  const queue = new Set<() => void>();
  queues.set(socket, queue);
  socket.once('close', () => queue.forEach((listener) => listener()));
  return queue;
}
