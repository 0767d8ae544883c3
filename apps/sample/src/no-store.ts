import type { NextFunction, Request, Response } from 'express';

/** Keeps what a signed-in person saw out of every cache, so "Back" after signing out shows nothing. */
export function noStore(_request: Request, response: Response, next: NextFunction): void {
  response.setHeader('Cache-Control', 'no-store');
  next();
}
