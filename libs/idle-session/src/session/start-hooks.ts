import type { ActivityReading, NewSession } from '../activity/activity-storage.js';

/** What the start of a record calls. */
export interface StartHooks {
  /** If it throws, the record does not start. */
  beforeStart?(session: NewSession, owner: string | undefined): Promise<void>;
  /** In place of the event. */
  onStarted?(reading: ActivityReading, owner: string | undefined): void;
}
