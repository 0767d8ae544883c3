export interface User {
  /** Also what they sign in with. */
  readonly id: string;
  readonly name: string;
}

declare module 'express-session' {
  interface SessionData {
    user?: User;
  }
}
