import type {
  ActivityReading,
  ActivityRecord,
  ExpiredSession,
  RecordedEnd,
} from '../activity/activity-storage.js';

/** What EXPIRE replies. */
export type ExpireReply = [looked: Field, unreadable: Field, ...ended: Field[]];
export type Field = string | number | null;
/** What the operations on one record reply. */
export type ScriptReply = readonly [
  done: Field,
  unreadable: Field,
  now: Field,
  ...(
    | []
    | [
        startedAt: Field,
        authenticatedAt: Field,
        lastActivityAt: Field,
        idleTimeoutMs: Field,
        absoluteTimeoutMs: Field,
        lockAfterMs: Field,
        owner: Field,
        ended?: Field,
      ]
  ),
];

export const wasDone = ([done]: ScriptReply): boolean => Number(done) === 1;

export function toReading([, , now, ...fields]: ScriptReply): ActivityReading {
  return { record: toRecord(fields), now: Number(now) };
}

function toRecord(fields: readonly (Field | undefined)[]): ActivityRecord | undefined {
  if (fields.length === 0) return undefined;
  const [startedAt, authenticatedAt, lastActivityAt, idle, absolute, lockAfter, owner, ended] =
    fields;
  return {
    startedAt: Number(startedAt),
    authenticatedAt: Number(authenticatedAt),
    lastActivityAt: Number(lastActivityAt),
    idleTimeoutMs: Number(idle),
    absoluteTimeoutMs: Number(absolute) || null,
    lockAfterMs: Number(lockAfter) || null,
    owner: String(owner) || null,
    ...(ended != null && { ended: String(ended) as RecordedEnd }),
  };
}

/** How many fields of a reply are about one session. */
const FIELDS_OF_ENDED = 7;

export function toExpired([, , ...fields]: ExpireReply): ExpiredSession[] {
  const expired: ExpiredSession[] = [];
  for (let index = 0; index < fields.length; index += FIELDS_OF_ENDED) {
    const [key, sessionId, reason, endedAt, startedAt, lastActivityAt, owner] = fields.slice(index);
    expired.push({
      key: String(key),
      sessionId: String(sessionId),
      reason: String(reason) as RecordedEnd,
      endedAt: Number(endedAt),
      startedAt: Number(startedAt),
      lastActivityAt: Number(lastActivityAt),
      owner: String(owner) || null,
    });
  }
  return expired;
}
