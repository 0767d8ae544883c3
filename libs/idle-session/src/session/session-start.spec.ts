import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Request } from 'express';
import { MemoryActivityStorage } from '../activity/memory-activity-storage.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { OutageLog } from '../utils/outage-log.js';
import { SessionActivity } from './session-activity.js';
import { SessionEvents } from './session-events.js';
import { SessionStart } from './session-start.js';

describe('A record that starts long after its session was registered', () => {
  afterEach(() => void jest.restoreAllMocks());

  /** Starts a session whose storage answers so much later. */
  async function startAfter(milliseconds: number, owner: string | undefined) {
    const storage = new MemoryActivityStorage();
    const clock = jest.spyOn(performance, 'now');
    const options = {
      storage,
      storageTimeoutMs: 1000,
      secrets: ['at least sixteen'],
      limitsFor: async () => ({
        idleTimeoutMs: 60_000,
        absoluteTimeoutMs: null,
        lockAfterMs: null,
      }),
      ownerOf: () => owner,
    } as Partial<ResolvedOptions> as ResolvedOptions;
    const events = new SessionEvents();
    const log = new OutageLog({ error() {}, log() {} });
    const activity = new SessionActivity(options, log, events);
    await new SessionStart(activity, events, options).start('ref', 'id', {} as Request, {
      beforeStart: async () => {
        clock.mockReturnValue(performance.now() + milliseconds);
      },
    });
    return (await storage.read('ref')).record?.ended;
  }

  it('is ended, since no list would show it', async () => {
    expect(await startAfter(16_000, 'ada')).toBe('revoked');
  });

  it('lives if it is in time, or belongs to nobody', async () => {
    expect(await startAfter(10_000, 'ada')).toBeUndefined();
    expect(await startAfter(16_000, undefined)).toBeUndefined();
  });
});
