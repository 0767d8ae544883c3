import type { ActivityStorage, NewSession } from '../activity/activity-storage.js';

/** A storage to hold against the contract, and what the tests need beside it. */
export interface ActivityStorageHarness {
  /** The storage, empty. */
  readonly storage: ActivityStorage;
  /**
   * The same records through another client: of a second process, with its own clock wrong by an hour. The storage
   * itself if there can be only one.
   */
  readonly other: ActivityStorage;
  /** Lets time pass on the storage's clock. */
  readonly advance: (milliseconds: number) => void | Promise<void>;
  /** Loses the record, as an eviction or a flush would. */
  readonly lose: (key: string) => void | Promise<void>;
  /** How long the storage keeps a record after its deadline or its end, in milliseconds. */
  readonly retentionMs: number;
}

/** One sentence of the contract with its test. */
export interface ActivityStorageContractCase {
  readonly name: string;
  /** Rejects with an `AssertionError` if the storage does not keep to it. */
  readonly run: (harness: ActivityStorageHarness) => Promise<void>;
}

export const KEY = 'session-1';
export const ID = 'id-1';
export const TIMEOUT = 60_000;
/** How long a case may take on a busy machine: a storage may go by a clock that no test stops. */
export const MARGIN = 20_000;
export const SESSION: NewSession = {
  sessionId: ID,
  idleTimeoutMs: TIMEOUT,
  absoluteTimeoutMs: null,
  lockAfterMs: null,
  owner: null,
};

/** The two clients in turn, so many in all. */
export function alternate(
  storage: ActivityStorage,
  other: ActivityStorage,
  count: number,
): ActivityStorage[] {
  return Array.from({ length: count }, (_, index) => (index % 2 === 0 ? storage : other));
}
