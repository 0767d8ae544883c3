import { Logger } from '@nestjs/common';

const logger = new Logger('IdleSessionModule');

/** Says once for a session that ended without its own doing, and without that of its time, what was missing. */
export function logMissing(what: 'data' | 'record', sessionRef: string): void {
  logger.warn(
    what === 'data'
      ? `The data of live session ${sessionRef} is gone from the session store, so the session ended as "revoked". Another party deleted it, or the store has an expiry of its own that is too short.`
      : `The activity record of session ${sessionRef} is gone, so the session ended as "lost". The activity storage lost data, or this process has a storage that the others do not share.`,
  );
}
