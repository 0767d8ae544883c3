import type { Request } from 'express';

/** Saves the session of a request, in promises. */
export function saveSession({ session }: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    session.save((error: unknown) => (error ? reject(error as Error) : resolve()));
  });
}

/** Destroys the session of a request, if there is one, in promises. */
export function destroySession({ session }: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    if (session == null) resolve();
    else session.destroy((error: unknown) => (error ? reject(error as Error) : resolve()));
  });
}
