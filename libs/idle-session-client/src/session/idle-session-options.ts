export interface IdleSessionOptions {
  /**
   * Where the server's endpoints are: a path, or a URL on another origin of the same site. The server's option `origins`
   * then has to list the origin of the page. Default `'/idle-session'`.
   */
  readonly path?: string;
  /** Whether activity while the warning shows extends the session; default false: only `extend()` does. */
  readonly extendOnActivity?: boolean;
  /** Headers for each request to the endpoints, for a CSRF middleware say; a function is called for each. */
  readonly headers?: Record<string, string> | (() => Record<string, string>);
}
