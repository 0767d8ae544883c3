/** All that is kept of a claim once it was sent, and only in the session: this app has no other storage. */
export interface SentClaim {
  readonly reference: string;
  readonly kind: string;
  readonly sentOn: string;
}

declare module 'express-session' {
  interface SessionData {
    /** Newest first. */
    claims?: SentClaim[];
  }
}
