export interface User {
  readonly id: string;
  readonly name: string;
}

declare module 'express-session' {
  interface SessionData {
    user?: User;
  }
}
