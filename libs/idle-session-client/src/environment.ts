import type { IdleSessionWord } from './tabs.js';

/** What the server answered; `body` is undefined if it was no JSON. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** What a response said in its `Server-Timing` header. */
export interface ServerTiming {
  /** To the nearer limit, when the response was sent. */
  readonly expiresInMs: number;
  /** How long ago the request for it went out, in milliseconds. */
  readonly agoMs: number;
}

/** What a page tells: each is a reason to look at the clock, and most to ask the server. */
export type PageEvent = 'hidden' | 'visible' | 'leaving' | 'returned' | 'online';

/** Everything that the clock needs of a browser; tests bring their own. Each `on…` returns how to stop. */
export interface Environment {
  /** The wall clock, in milliseconds. Goes on during sleep, and may jump. */
  now(): number;
  /** A clock that never jumps, in milliseconds. May stand still during sleep. */
  elapsed(): number;
  /** Runs once after a delay; returns how to cancel it. */
  after(milliseconds: number, run: () => void): () => void;
  /** Sends a request; rejects if there was no answer from the server itself. */
  request(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer>;
  /** Runs alone among all tabs, or alone in this one where the browser has no locks. */
  alone(name: string, run: () => Promise<void>): Promise<void>;
  onActivity(heard: () => void): () => void;
  onServerTiming(heard: (timing: ServerTiming) => void): () => void;
  /** A response to the page said 401. */
  onRefused(heard: () => void): () => void;
  onPage(heard: (event: PageEvent) => void): () => void;
  onWord(name: string, heard: (word: IdleSessionWord) => void): () => void;
  tell(word: IdleSessionWord): void;
}
