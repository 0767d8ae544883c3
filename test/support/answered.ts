import type { Response } from 'supertest';
import { until } from './until.js';

/**
 * Asks again while the answer is 503: on a busy machine Redis may take longer than a short `storageTimeout`, before an
 * outage and after it.
 */
export async function answered(ask: () => PromiseLike<Response>): Promise<Response> {
  let response: Response | undefined;
  await until('it is answered', async () => (response = await ask()).status !== 503);
  return response!;
}
