import type { Answered } from '../model/answers-oracle.js';
import type { AppProcess, HttpAnswer } from './app-process.js';

export type What = Answered['what'];

/** Asks a process for what a person does. */
export function askProcess(
  process: AppProcess,
  what: What,
  cookie: string,
  idleForMs: number,
): Promise<HttpAnswer> {
  switch (what) {
    case 'sign-in':
      return process.ask('POST', '/sign-in', cookie);
    case 'me':
      return process.ask('GET', '/me', cookie);
    case 'poll':
      return process.ask('GET', '/poll', cookie);
    case 'heartbeat':
      return process.ask('POST', '/idle-session/heartbeat', cookie, { idleForMs });
    case 'unlock':
      return process.ask('POST', '/unlock', cookie);
    case 'sign-out':
      return process.ask('POST', '/idle-session/sign-out', cookie);
  }
}
