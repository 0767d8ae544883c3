import { StorageUnavailableException } from './idle-session.exceptions.js';
import type { RequestSession } from './request-session.js';

/**
 * Of what is a person's own, nothing is told or done unchecked, also where other requests go on without the storage.
 * @throws {StorageUnavailableException}
 */
export function refuseUnchecked({ isStored, reading }: RequestSession): void {
  if (!isStored || reading) return;
  throw new StorageUnavailableException(new Error('The session could not be looked up'));
}
