import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Logger } from '@nestjs/common';
import { StorageUnavailableException } from './idle-session.exceptions.js';
import { Outage } from './outage.js';

let lines: string[];
let outage: Outage;
beforeEach(() => {
  lines = [];
  const logger = {
    error: (message: string) => lines.push(`error: ${message}`),
    log: (message: string) => lines.push(`log: ${message}`),
  };
  outage = new Outage(logger as unknown as Logger);
});

const error = Object.assign(new Error('GET sess:the-id of redis://:hunter2@db'), {
  code: 'ECONNREFUSED',
});

describe('An outage', () => {
  it('is logged once, and its end once, however many requests see it', () => {
    outage.over();
    for (let request = 0; request < 5; request++) outage.began(error);
    for (let request = 0; request < 5; request++) outage.over();
    outage.began(error);
    expect(lines).toEqual([
      expect.stringMatching(/^error: .* does not answer/),
      expect.stringMatching(/^log: .* answer again/),
      expect.stringMatching(/^error: .* does not answer/),
    ]);
  });

  it.each<[string, unknown, string]>([
    ['kind and code of the cause', new StorageUnavailableException(error), 'Error (ECONNREFUSED)'],
    ['kind and code of the error', error, 'Error (ECONNREFUSED)'],
    ['its kind if it has no code', new TypeError('hunter2'), 'TypeError'],
    ['that it is unknown if it is no error', 'hunter2', 'unknown error'],
    ['that it is unknown if there is nothing', undefined, 'unknown error'],
  ])('is logged with %s, and never with a message', (_, thrown, told) => {
    outage.began(thrown);
    expect(lines).toEqual([expect.stringContaining(told)]);
    expect(lines.join()).not.toMatch(/hunter2|the-id/);
  });
});
