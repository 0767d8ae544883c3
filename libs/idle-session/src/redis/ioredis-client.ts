import type { RedisScriptClient } from './script-call.js';

/** What is used of ioredis: a client and a cluster both have it. */
export interface IoredisClient {
  /** A cluster has a connection for messages by itself. */
  readonly isCluster?: boolean;
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
  evalsha(sha1: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
}

/** What is used of an ioredis connection for messages: a client of its own, or a cluster. */
export interface IoredisSubscriber extends IoredisClient {
  subscribe(channel: string): Promise<unknown>;
  on(event: 'message', listener: (channel: string, message: string) => void): unknown;
}

/** Whether this is of ioredis, whose commands have names in lower case; node-redis has `evalSha`. */
export function isIoredis<Other extends object>(
  client: Other | IoredisClient,
): client is Extract<Other, IoredisClient> | IoredisClient {
  return typeof (client as Partial<IoredisClient> | undefined)?.evalsha === 'function';
}

/** The ioredis client as if it were of node-redis. */
export function scriptClientOf(client: IoredisClient): RedisScriptClient {
  return {
    eval: (script, { keys, arguments: args }) => client.eval(script, keys.length, ...keys, ...args),
    evalSha: (sha1, { keys, arguments: args }) =>
      client.evalsha(sha1, keys.length, ...keys, ...args),
  };
}

/** As `subscribe()` of node-redis. ioredis tells every listener of the messages of every channel. */
export function subscribeWithIoredis(
  subscriber: IoredisSubscriber,
  channel: string,
  listener: (message: string) => void,
): Promise<unknown> {
  subscriber.on('message', (from, message) => {
    if (from === channel) listener(message);
  });
  return subscriber.subscribe(channel);
}
