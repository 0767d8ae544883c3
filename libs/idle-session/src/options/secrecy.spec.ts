import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import type { Logger } from '@nestjs/common';
import { BufferedActivityStorage } from '../activity/buffer/buffered-activity-storage.js';
import { MemoryActivityStorage } from '../activity/memory-activity-storage.js';
import { RedisActivityStorage } from '../redis/redis-activity-storage.js';
import { COOKIE_RULES, MODULE_RULES, SESSION_RULES } from './option-rules.js';
import { checkOptionsObject, resolveOptions, resolvePath } from './resolve-options.js';

const PASSWORD = 'correct-horse-battery';
const logger = { warn() {} } as unknown as Logger;
const secret = 'a secret of more than sixteen characters';

class Settings {
  readonly password = PASSWORD;
}

/** What a developer may pass by mistake, or put in the wrong place. */
const withPassword: [string, unknown][] = [
  ['a connection URL', `redis://user:${PASSWORD}@host`],
  ['a long connection URL', `rediss://user:${PASSWORD}@cluster.example:6379/0?family=6`],
  ['the options of a client', { url: `redis://user:${PASSWORD}@host`, password: PASSWORD }],
  ['settings of a class', new Settings()],
  ['several URLs', [`redis://user:${PASSWORD}@host`]],
  ['a map', new Map([['password', PASSWORD]])],
  ['a Buffer', Buffer.from(PASSWORD)],
  ['a function that holds one', Object.assign(() => PASSWORD, { password: PASSWORD })],
];

type Give = (value: unknown) => unknown;
const give = (options: object) =>
  resolveOptions({ session: { secret }, ...options } as never, logger);
const client = { eval: async () => {}, evalSha: async () => {} };

const options: [string, Give][] = [
  ['options', checkOptionsObject],
  ['path', resolvePath],
  ...Object.keys(MODULE_RULES).map((name): [string, Give] => [
    name,
    (value) => give({ [name]: value }),
  ]),
  ...Object.keys(SESSION_RULES).map((name): [string, Give] => [
    `session.${name}`,
    (value) => give({ session: { secret, [name]: value } }),
  ]),
  ...Object.keys(COOKIE_RULES).map((name): [string, Give] => [
    `session.cookie.${name}`,
    (value) => give({ session: { secret, cookie: { [name]: value } } }),
  ]),
  ['client', (value) => new RedisActivityStorage(value as never)],
  ...['subscriber', 'retention', 'syncInterval', 'touchInterval', 'rememberedSessions'].map(
    (name): [string, Give] => [
      name,
      (value) => new RedisActivityStorage(client, { [name]: value }),
    ],
  ),
  [
    'syncInterval of a buffer',
    (value) =>
      new BufferedActivityStorage(new MemoryActivityStorage(), { syncInterval: value as never }),
  ],
  ['retention in memory', (value) => new MemoryActivityStorage({ retention: value as never })],
];

/** What is logged of an error that stops the start. */
function printed(run: () => unknown): string {
  try {
    run();
    return '';
  } catch (error) {
    return `${(error as Error).stack} ${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)}`;
  }
}

describe.each(options)('The error about "%s"', (_, giveTo) => {
  it.each(withPassword)('tells nothing of %s', (__, value) => {
    const text = printed(() => giveTo(value));
    expect(text).not.toContain(PASSWORD);
    expect(text).not.toContain(Buffer.from(PASSWORD).toString('hex', 0, 3));
  });
});

describe.each(
  options.filter(([name]) =>
    /storage$|store$|secret|client|subscriber|appliesTo|ownerOf|genid|encode|domain|session$/.test(
      name,
    ),
  ),
)('The error about "%s", which may take a secret or what holds one', (_, giveTo) => {
  it.each(['hunter2', 12_345_678])('tells nothing of a bare password: %p', (password) => {
    expect(printed(() => giveTo(password))).not.toContain(String(password));
  });
});

it.each<[Give, unknown, string]>([
  [options.find(([name]) => name === 'client')![1], { url: 'redis://x' }, 'got an object;'],
  [options.find(([name]) => name === 'client')![1], new Settings(), 'got an object (Settings);'],
  [options.find(([name]) => name === 'client')![1], 'redis://x', 'got a string of 9 characters;'],
  [options.find(([name]) => name === 'subscriber')![1], () => {}, 'got a function;'],
  [options.find(([name]) => name === 'storage')![1], 7, 'got a number;'],
  [options.find(([name]) => name === 'idleTimeout')![1], '15 minuts', "got '15 minuts';"],
  [options.find(([name]) => name === 'loginUrl')![1], 'login', "got 'login';"],
])(
  'An error says what kind of value it got, and which where that is no secret',
  (giveTo, value, said) => {
    expect(printed(() => giveTo(value))).toContain(said);
  },
);
