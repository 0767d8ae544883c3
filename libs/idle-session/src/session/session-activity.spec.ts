import { describe, expect, it } from '@jest/globals';
import type { ActivityStorage } from '../activity/activity-storage.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { OutageLog } from '../utils/outage-log.js';
import { StorageUnavailableException } from './idle-session.exceptions.js';
import { SessionActivity } from './session-activity.js';
import { SessionEvents } from './session-events.js';

function activityOn(read: () => Promise<never>, options: Partial<ResolvedOptions> = {}) {
  const storage = { read } as unknown as ActivityStorage;
  const log = new OutageLog({ error() {}, log() {} });
  return new SessionActivity(
    { storage, storageTimeoutMs: 10, onStorageError: 'reject', ...options } as ResolvedOptions,
    log,
    new SessionEvents(),
  );
}

const CAUSE = new Error('redis://user:hunter2@db');

describe('A storage that gives no answer', () => {
  it.each<[string, () => Promise<never>, string]>([
    ['rejects', () => Promise.reject(CAUSE), CAUSE.message],
    [
      'throws before there is a promise',
      () => {
        throw CAUSE;
      },
      CAUSE.message,
    ],
    ['hangs', () => new Promise<never>(() => {}), 'no answer within 10 ms'],
  ])('is unavailable, with the cause, when it %s', async (_, read, message) => {
    const failure = await activityOn(read)
      .read('ref')
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StorageUnavailableException);
    expect(failure).toMatchObject({ cause: { message } });
  });

  it('is nobody’s business: the answer to the user says nothing about the cause', async () => {
    const failure = (await activityOn(() => Promise.reject(CAUSE))
      .read('ref')
      .catch((error: unknown) => error)) as StorageUnavailableException;
    expect(failure.message).not.toContain('hunter2');
    expect(JSON.stringify(failure.getResponse())).not.toContain('hunter2');
  });

  it('lets a request go on unchecked only where the options allow it', async () => {
    const rejects = () => Promise.reject(CAUSE);
    const strict = activityOn(rejects);
    await expect(strict.orUnchecked(strict.read('ref'))).rejects.toThrow(
      StorageUnavailableException,
    );
    const lax = activityOn(rejects, { onStorageError: 'allow' });
    expect(await lax.orUnchecked(lax.read('ref'))).toBeUndefined();
    await expect(lax.orUnchecked(Promise.reject(new TypeError('a fault')))).rejects.toThrow(
      'a fault',
    );
  });
});
