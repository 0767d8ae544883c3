import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { OutageLog, UnusableAnswerError } from './outage-log.js';

let lines: string[];
let outage: OutageLog;
beforeEach(() => {
  lines = [];
  const logger = {
    error: (message: string) => lines.push(`error: ${message}`),
    log: (message: string) => lines.push(`log: ${message}`),
  };
  outage = new OutageLog(logger);
});

const MINUTE = 60_000;
const READ = 'activity storage (read)';
const TOUCH = 'activity storage (touch)';
const error = Object.assign(new Error('GET sess:the-id of redis://:hunter2@db'), {
  code: 'ECONNREFUSED',
});

/** As node-redis throws it: its name is that of every error. */
class ClientOfflineError extends Error {}

describe('An outage', () => {
  const began = 'error: The activity storage (read) does not answer: Error (ECONNREFUSED)';
  const over = 'log: The activity storage (read) answers again.';
  let now: number;
  beforeEach(() => {
    now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => void jest.restoreAllMocks());

  it('is logged once, and its end once, however many requests see it', () => {
    outage.over();
    for (let request = 0; request < 5; request++) outage.began(READ, error);
    now += MINUTE;
    for (let request = 0; request < 5; request++) outage.over();
    expect(lines).toEqual([began, over]);
    outage.began(READ, error);
    expect(lines).toEqual([began, over, began]);
  });

  it('of a part of the storage is one outage, however answers and failures take turns', () => {
    for (let second = 0; second < 3600; second++) {
      now += 1000;
      outage.over();
      if (second % 50 === 0) outage.began(READ, error);
      outage.over();
    }
    expect(lines).toEqual([began]);
    now += MINUTE;
    outage.over();
    outage.over();
    expect(lines).toEqual([began, over]);
  });

  it('of several operations is one, and over when none of them fails any more', () => {
    outage.began(READ, error);
    now += MINUTE - 1;
    outage.began(TOUCH, error);
    now += MINUTE - 1;
    outage.over();
    expect(lines).toEqual([began]);
    now += 1;
    outage.over();
    expect(lines).toEqual([began, over]);
  });

  it('goes on while the store has no connection, although something else answers', () => {
    outage.disconnected('session store (connection)');
    outage.began(READ, error);
    for (let minute = 0; minute < 10; minute++) {
      now += MINUTE;
      outage.over();
    }
    expect(lines).toEqual([expect.stringContaining('session store (connection) does not answer')]);
    outage.connected();
    outage.connected();
    now += MINUTE;
    outage.over();
    expect(lines[1]).toBe('log: The session store (connection) answers again.');
  });

  it('is seen in what it watches, which comes out as it is', async () => {
    expect(await outage.watch(READ, Promise.resolve('answer'))).toBe('answer');
    await expect(outage.watch(READ, Promise.reject(error))).rejects.toBe(error);
    expect(lines).toEqual([began]);
    now += MINUTE;
    await outage.watch(TOUCH, Promise.resolve());
    expect(lines).toEqual([began, over]);
  });

  it.each<[string, unknown, string]>([
    [
      'kind and code of the cause',
      new Error('unavailable', { cause: error }),
      'Error (ECONNREFUSED)',
    ],
    ['kind and code of the error', error, 'Error (ECONNREFUSED)'],
    ['its kind if it has no code', new TypeError('hunter2'), 'TypeError'],
    [
      'its class where its name says nothing',
      new ClientOfflineError('hunter2'),
      'ClientOfflineError',
    ],
    [
      'the first word of Redis',
      new Error("OOM command not allowed when used memory > 'maxmemory' the-id"),
      'Error (OOM)',
    ],
    [
      'the word of Redis within that of a script',
      new Error('ERR Error running script (call to f_1): READONLY hunter2'),
      'Error (READONLY)',
    ],
    [
      'what a script may not do',
      new Error("ERR The user executing the script can't run this command. hunter2"),
      'Error (NOPERM)',
    ],
    ['no word that Redis does not have', new Error('HUNTER2 hunter2'), 'does not answer: Error'],
    ['that it is unknown if it is no error', 'hunter2', 'unknown error'],
    ['that it is unknown if there is nothing', undefined, 'unknown error'],
  ])('is logged with %s, and never with a message', (_, thrown, told) => {
    outage.began(READ, thrown);
    expect(lines).toEqual([expect.stringContaining(told)]);
    expect(lines.join()).not.toMatch(/hunter2|the-id/i);
  });
});

describe('An answer that cannot be used', () => {
  const unusable = () => outage.watch(READ, Promise.reject(new UnusableAnswerError('no reading')));

  it('is no outage, and logged once in a minute, with what is wrong', async () => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(0);
    for (let request = 0; request < 5; request++) {
      await expect(unusable()).rejects.toBeInstanceOf(UnusableAnswerError);
      await outage.watch(READ, Promise.resolve());
    }
    const line = 'error: The activity storage (read) answers what cannot be used: no reading';
    expect(lines).toEqual([line]);
    now.mockReturnValue(60_001);
    await expect(unusable()).rejects.toThrow('no reading');
    now.mockRestore();
    expect(lines).toEqual([line, line]);
  });

  it('does not hide an outage, nor end it', async () => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(0);
    outage.began(TOUCH, error);
    now.mockReturnValue(MINUTE);
    await expect(unusable()).rejects.toThrow('no reading');
    outage.over();
    now.mockRestore();
    expect(lines.map((line) => line.split(':')[0])).toEqual(['error', 'error', 'log']);
  });
});
