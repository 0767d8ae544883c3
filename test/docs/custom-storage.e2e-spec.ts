// #region contract
import { afterAll, beforeAll, beforeEach, describe, it } from '@jest/globals';
import { PGlite } from '@electric-sql/pglite';
import { activityStorageContract } from 'nestjs-idle-session/testing';
import { PostgresActivityStorage, SCHEMA } from '../../docs/examples/custom-storage.js';

describe('PostgresActivityStorage', () => {
  const sql = new PGlite();
  beforeAll(() => sql.exec(SCHEMA), 120_000);
  beforeEach(() => sql.exec('TRUNCATE idle_session'));
  afterAll(() => sql.close());

  it.each(activityStorageContract)('$name', async ({ run }) => {
    await run({
      storage: new PostgresActivityStorage(sql),
      other: new PostgresActivityStorage(sql),
      // The past of all records moves, which is the same as the clock moving on.
      advance: async (milliseconds) => {
        await sql.query(
          `UPDATE idle_session SET started_at = started_at - $1, ended_at = ended_at - $1,
             last_activity_at = last_activity_at - $1, authenticated_at = authenticated_at - $1`,
          [milliseconds],
        );
      },
      lose: async (key) => {
        await sql.query('DELETE FROM idle_session WHERE key = $1', [key]);
      },
      retentionMs: 24 * 60 * 60_000,
    });
  });
});
// #endregion contract
