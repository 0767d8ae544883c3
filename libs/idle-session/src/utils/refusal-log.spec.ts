import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Request } from 'express';
import { RefusalLog } from './refusal-log.js';

const HOUR = 3_600_000;

const requestOf = (origin: string) =>
  ({
    protocol: 'https',
    host: 'desk.example',
    get: (name: string) => ({ Origin: origin, 'Sec-Fetch-Site': 'cross-site' })[name],
  }) as unknown as Request;

describe('RefusalLog', () => {
  let lines: string[];
  let log: RefusalLog;
  beforeEach(() => {
    jest.useFakeTimers();
    lines = [];
    log = new RefusalLog({ warn: (line) => void lines.push(line) });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('logs each kind of refusal once an hour, however many requests strangers send', () => {
    const refuse = () => {
      for (const kind of ['host', 'site', 'host', 'listed', 'site', 'listed'] as const)
        log.refused('A socket', requestOf('https://a.example'), kind);
    };
    refuse();
    expect(lines).toHaveLength(3);
    jest.advanceTimersByTime(HOUR - 1);
    refuse();
    expect(lines).toHaveLength(3);
    jest.advanceTimersByTime(1);
    refuse();
    expect(lines).toHaveLength(6);
  });

  it('logs what the module refused, why, and what the app can do about it', () => {
    log.refused('A socket', requestOf('https://a.example'), 'host', ' Or ask.');
    expect(lines[0]).toMatch(
      /^A socket was refused: its Origin is "https:\/\/a\.example", but it came to "https:\/\/desk\.example"\..* Or ask\.$/,
    );
  });

  it.each([
    ['a control character of 8 bits', '\u009b31m', '"\\u009b31m"'],
    ['a delete', '\u007f', '"\\u007f"'],
    ['a new line', '\u0085\u2028\n', '"\\u0085\\u2028\\n"'],
    ['a quotation mark', '"', '"\\""'],
  ])('logs %s in a header as text', (_, origin, text) => {
    log.refused('A socket', requestOf(origin), 'host');
    expect(lines[0]).toContain(`its Origin is ${text},`);
  });

  it('logs no more than the beginning of a long path or header', () => {
    log.refused(`GET /${'a'.repeat(10_000)}`, requestOf('b'.repeat(10_000)), 'site');
    expect(lines[0]!.length).toBeLessThan(500);
  });
});
