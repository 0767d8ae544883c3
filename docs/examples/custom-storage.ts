import {
  ActivityStorage,
  type ActivityEnd,
  type ActivityReading,
  type ActivityUnlock,
  type ExpiredSession,
  type Expiry,
  type NewSession,
  type RecordedEnd,
} from 'nestjs-idle-session';

/** What is used of a connection: a `Pool` of the package `pg` has it. */
export interface Sql {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

// #region schema
export const SCHEMA = `
CREATE TABLE idle_session (
  key                 text PRIMARY KEY,
  session_id          text NOT NULL,
  owner               text,
  started_at          bigint NOT NULL,
  authenticated_at    bigint NOT NULL,
  last_activity_at    bigint NOT NULL,
  idle_timeout_ms     bigint NOT NULL,
  absolute_timeout_ms bigint,
  lock_after_ms       bigint,
  ended               text,
  ended_at            bigint,
  active_until        bigint GENERATED ALWAYS AS
    (last_activity_at + least(idle_timeout_ms, lock_after_ms)) STORED,
  idle_deadline       bigint GENERATED ALWAYS AS (last_activity_at + idle_timeout_ms) STORED,
  deadline            bigint GENERATED ALWAYS AS
    (least(last_activity_at + idle_timeout_ms, started_at + absolute_timeout_ms)) STORED
);
CREATE INDEX idle_session_deadline ON idle_session (deadline) WHERE ended IS NULL;
CREATE INDEX idle_session_ended_at ON idle_session (ended_at);
`;
// #endregion schema

// #region storage
/** The database's clock, in whole milliseconds; the same in all of a statement. */
const NOW = `floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint`;

const RETENTION_MS = 24 * 60 * 60_000;

/** Whether the record is still of use. */
const IS_KEPT = `${NOW} < coalesce(ended_at, idle_deadline) + ${RETENTION_MS}`;

/** The record, and the time at which it was so. */
const ANSWER = `*, ${NOW} AS now`;

type Row = Record<string, string | number | null>;

/** Keeps activity records in PostgreSQL. Every change is one statement, so that it is atomic. */
export class PostgresActivityStorage extends ActivityStorage {
  constructor(private readonly sql: Sql) {
    super();
  }

  async read(key: string): Promise<ActivityReading> {
    const [row] = await this.run(
      `SELECT ${ANSWER} FROM (SELECT) AS always
       LEFT JOIN idle_session AS record ON key = $1 AND ${IS_KEPT}`,
      key,
    );
    return toReading(row!);
  }

  async start(key: string, session: NewSession): Promise<ActivityReading & { started: boolean }> {
    const { sessionId, owner, idleTimeoutMs, absoluteTimeoutMs, lockAfterMs } = session;
    await this.forget(key);
    const [started] = await this.run(
      `INSERT INTO idle_session (key, session_id, owner, idle_timeout_ms, absolute_timeout_ms,
         lock_after_ms, started_at, authenticated_at, last_activity_at)
       VALUES ($1, $2, $3, $4, $5, $6, ${NOW}, ${NOW}, ${NOW})
       ON CONFLICT (key) DO NOTHING RETURNING ${ANSWER}`,
      key,
      sessionId,
      owner,
      idleTimeoutMs,
      absoluteTimeoutMs,
      lockAfterMs,
    );
    if (started) return { ...toReading(started), started: true };
    return { ...(await this.read(key)), started: false };
  }

  async touch(key: string, idleTimeoutMs: number, at: number): Promise<ActivityReading> {
    const activityAt = `least($3::bigint, ${NOW})`;
    const [touched] = await this.run(
      `UPDATE idle_session SET last_activity_at = ${activityAt}, idle_timeout_ms = $2
       WHERE key = $1 AND ended IS NULL AND ${IS_KEPT}
         AND (${activityAt} > last_activity_at AND ${activityAt} < active_until
           OR ${activityAt} = last_activity_at AND ${NOW} < active_until)
       RETURNING ${ANSWER}`,
      key,
      idleTimeoutMs,
      Math.floor(at),
    );
    return touched ? toReading(touched) : this.read(key);
  }

  async unlock(key: string, idleTimeoutMs: number): Promise<ActivityUnlock> {
    const [unlocked] = await this.run(
      `UPDATE idle_session SET last_activity_at = ${NOW}, idle_timeout_ms = $2
       WHERE key = $1 AND ended IS NULL AND ${NOW} >= active_until AND ${NOW} < deadline
       RETURNING ${ANSWER}`,
      key,
      idleTimeoutMs,
    );
    if (!unlocked) return { ...(await this.read(key)), unlocked: false };
    return { ...toReading(unlocked), unlocked: true };
  }

  async end(key: string, reason: RecordedEnd): Promise<ActivityEnd> {
    await this.forget(key);
    const [won] = await this.run(
      `INSERT INTO idle_session AS known (key, session_id, idle_timeout_ms,
         started_at, authenticated_at, last_activity_at, ended, ended_at)
       VALUES ($1, '', 0, ${NOW}, ${NOW}, ${NOW}, $2, ${NOW})
       ON CONFLICT (key) DO UPDATE SET ended = $2, ended_at = ${NOW}, session_id = ''
         WHERE known.ended IS NULL AND $2 <> 'lost'
           AND ($2 <> 'idle' OR ${NOW} >= known.idle_deadline)
       RETURNING ${ANSWER}`,
      key,
      reason,
    );
    if (won) return { ...toReading(won), won: true };
    return { ...(await this.read(key)), won: false };
  }

  async expire(limit: number): Promise<Expiry> {
    // A row that another process is just ending is skipped, so each session is one process's only.
    const rows = await this.run(
      `WITH due AS (
         SELECT key, session_id FROM idle_session WHERE ended IS NULL AND deadline <= ${NOW}
         ORDER BY deadline LIMIT $1 FOR UPDATE SKIP LOCKED)
       UPDATE idle_session AS record SET ended_at = ${NOW}, session_id = '',
         ended = CASE WHEN idle_deadline <= deadline THEN 'idle' ELSE 'absolute' END
       FROM due WHERE record.key = due.key
       RETURNING record.*, due.session_id AS id`,
      limit,
    );
    await this.run(`DELETE FROM idle_session WHERE ended_at + ${RETENTION_MS} <= ${NOW}`);
    const expired = rows.map((row) => ({
      key: String(row.key),
      sessionId: String(row.id),
      reason: row.ended as ExpiredSession['reason'],
      endedAt: Number(row.ended_at),
      startedAt: Number(row.started_at),
      lastActivityAt: Number(row.last_activity_at),
      owner: row.owner === null ? null : String(row.owner),
    }));
    return { expired, more: expired.length === limit };
  }

  /** Makes room where a record is past its retention. */
  private async forget(key: string): Promise<void> {
    await this.run(`DELETE FROM idle_session WHERE key = $1 AND NOT ${IS_KEPT}`, key);
  }

  private async run(text: string, ...values: unknown[]): Promise<Row[]> {
    return (await this.sql.query(text, values)).rows as Row[];
  }
}

const toReading = (row: Row): ActivityReading => ({ record: toRecord(row), now: Number(row.now) });

function toRecord(row: Row): ActivityReading['record'] {
  if (row.key === null) return undefined;
  const orNull = (value: Row[string] | undefined) => (value == null ? null : Number(value));
  return {
    startedAt: Number(row.started_at),
    authenticatedAt: Number(row.authenticated_at),
    lastActivityAt: Number(row.last_activity_at),
    idleTimeoutMs: Number(row.idle_timeout_ms),
    absoluteTimeoutMs: orNull(row.absolute_timeout_ms),
    lockAfterMs: orNull(row.lock_after_ms),
    owner: row.owner === null ? null : String(row.owner),
    ...(row.ended !== null && { ended: row.ended as RecordedEnd }),
  };
}
// #endregion storage
