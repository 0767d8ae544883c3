import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Request } from 'express';
import { RefusalLog } from './refusal-log.js';

const HOUR = 3_600_000;

const requestOf = (
  origin: string | undefined,
  { host = 'desk.example', site = 'cross-site' } = {},
) =>
  ({
    protocol: 'https',
    host,
    get: (name: string) => ({ Origin: origin, 'Sec-Fetch-Site': site })[name],
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

  it('logs each kind and origin once an hour, however many requests strangers send', () => {
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

  it('logs the refusal of a page of the app after that of a stranger', () => {
    for (const origin of ['https://stranger.example', undefined, 'https://desk.example'])
      log.refused('A socket', requestOf(origin), 'host');
    expect(lines.at(-1)).toContain('its Origin is "https://desk.example"');
  });

  it('logs ten lines an hour at most, however many origins strangers name', () => {
    for (let origin = 0; origin < 1000; origin++)
      log.refused('A socket', requestOf(`https://${origin}.example`), 'host');
    expect(lines).toHaveLength(10);
  });

  it('logs what the module refused, why, and what the app can do about it', () => {
    log.refused('A socket', requestOf('https://a.example'), 'host', ' Or ask.');
    expect(lines[0]).toMatch(
      /^A socket was refused: its Origin is "https:\/\/a\.example", but it came to "https:\/\/desk\.example"\..* Or ask\.$/,
    );
  });

  it.each(['site', 'host'] as const)('says where to name a page of the app: %s', (kind) => {
    log.refused('A socket', requestOf('https://a.example'), kind, ' Or ask.');
    expect(lines[0]).toMatch(/name its origin in the option "origins"\. Or ask\.$/);
  });

  it.each([
    ['unnamed', 'null', 'names no origin'],
    ['http', 'http://desk.example', 'Serve the page on https'],
    ['listed', 'https://a.example', 'under one registrable domain'],
  ] as const)('does not say so where that does not help: %s', (kind, origin, advice) => {
    log.refused('A socket', requestOf(origin), kind, ' Or ask.');
    expect(lines[0]).toContain(advice);
    expect(lines[0]).not.toMatch(/name its origin|Or ask/);
  });

  it.each([
    ['a control character of 8 bits', '\u009b31m', '"\\u009b31m"'],
    ['a delete', '\u007f', '"\\u007f"'],
    ['a new line', '\u0085\u2028\n', '"\\u0085\\u2028\\n"'],
    ['a quotation mark', '"', '"\\""'],
  ])('logs %s in a header as text', (_, header, text) => {
    const request = requestOf(header, { host: header, site: header });
    for (const kind of ['host', 'site', 'unnamed', 'http', 'listed'] as const)
      log.refused('A socket', request, kind);
    expect(lines).toHaveLength(5);
    for (const line of lines) {
      expect(line).toContain(text.slice(1, -1));
      expect(line).not.toContain(`"${header}"`);
    }
  });

  it('logs no more than the beginning of a long path or header', () => {
    log.refused(`GET /${'a'.repeat(10_000)}`, requestOf('b'.repeat(10_000)), 'site');
    expect(lines[0]!.length).toBeLessThan(500);
  });
});
