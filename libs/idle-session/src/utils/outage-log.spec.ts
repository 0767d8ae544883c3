import { beforeEach, describe, expect, it, jest } from '@jest/globals';
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

const READ = 'activity storage (read)';
const TOUCH = 'activity storage (touch)';
const error = Object.assign(new Error('GET sess:the-id of redis://:hunter2@db'), {
  code: 'ECONNREFUSED',
});

describe('An outage', () => {
  it('is logged once, and its end once, however many requests see it', () => {
    outage.over(READ);
    for (let request = 0; request < 5; request++) outage.began(READ, error);
    for (let request = 0; request < 5; request++) outage.over(READ);
    outage.began(READ, error);
    expect(lines).toEqual([
      expect.stringMatching(/^error: The activity storage \(read\) does not answer/),
      expect.stringMatching(/^log: The activity storage \(read\) answers again/),
      expect.stringMatching(/^error: .* does not answer/),
    ]);
  });

  it('of one operation goes on while another answers', () => {
    for (let request = 0; request < 5; request++) {
      outage.over(READ);
      outage.began(TOUCH, error);
    }
    expect(lines).toHaveLength(1);
    outage.over(TOUCH);
    expect(lines).toHaveLength(2);
  });

  it('of an operation that nobody asks for again is over after a minute', () => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(0);
    outage.began(TOUCH, error);
    now.mockReturnValue(60_001);
    outage.over(READ);
    now.mockRestore();
    expect(lines).toHaveLength(2);
  });

  it('is seen in what it watches, which comes out as it is', async () => {
    expect(await outage.watch(READ, Promise.resolve('answer'))).toBe('answer');
    await expect(outage.watch(READ, Promise.reject(error))).rejects.toBe(error);
    expect(lines).toHaveLength(1);
    await outage.watch(READ, Promise.resolve());
    expect(lines).toHaveLength(2);
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
    outage.began(TOUCH, error);
    await expect(unusable()).rejects.toThrow('no reading');
    outage.over(TOUCH);
    expect(lines.map((line) => line.split(':')[0])).toEqual(['error', 'error', 'log']);
  });
});
