import type { Response } from 'express';

/** Past what the app may have put on `response.json()`. */
export function sendJson(body: object, response: Response): void {
  response.type('application/json').end(JSON.stringify(body));
}
