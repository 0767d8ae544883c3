import expressSession, { type Cookie } from 'express-session';

type SerializedCookie = Cookie & { serialize(name: string, value: string): string };

/** A cookie as express-session makes it of these options, whose types leave out both its constructor and `serialize()`. */
export function newCookie(options?: object): SerializedCookie {
  const { Cookie } = expressSession as unknown as {
    Cookie: new (options?: object) => SerializedCookie;
  };
  return new Cookie(options);
}
