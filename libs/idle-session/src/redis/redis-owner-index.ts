import type {
  IndexAddition,
  IndexedSession,
  IndexLimit,
  IndexReading,
  NewIndexedSession,
  OwnerIndex,
  SessionDescription,
} from '../activity/owner-index.js';
import * as scripts from './owner-index-scripts.js';
import { callScript, script, type RedisScriptClient, type Script } from './script-call.js';

type Field = string | number;

const ADD = script(scripts.ADD);
const LIST = script(scripts.LIST);
const REMOVE = script(scripts.REMOVE);

/** The sessions of each owner under keys of their own, in one slot. */
export class RedisOwnerIndex implements OwnerIndex {
  constructor(
    private readonly client: RedisScriptClient,
    private readonly prefix: string,
  ) {}

  async add(
    owner: string,
    { key, description, keepForMs }: NewIndexedSession,
    { max, refuse }: IndexLimit = { max: Infinity, refuse: false },
  ): Promise<IndexAddition> {
    const reply = await this.run(
      owner,
      ADD,
      key,
      JSON.stringify(description),
      keepForMs ?? 0,
      Number.isFinite(max) ? Math.max(0, max) : -1,
      refuse ? 1 : 0,
    );
    return {
      outcome: String(reply[0]) as IndexAddition['outcome'],
      others: toSessions(reply, 2),
      now: Number(reply[1]),
    };
  }

  async list(owner: string): Promise<IndexReading> {
    const reply = await this.run(owner, LIST);
    return { sessions: toSessions(reply, 1), now: Number(reply[0]) };
  }

  async remove(owner: string, keys: readonly string[], addedBefore = -1): Promise<void> {
    if (keys.length > 0) await this.run(owner, REMOVE, addedBefore, ...keys);
  }

  private async run(
    owner: string,
    operation: Script,
    ...values: Field[]
  ): Promise<readonly Field[]> {
    const keys = ['sessions', 'expiries'].map((name) => `${this.prefix}{${owner}}:${name}`);
    return (await callScript(this.client, operation, keys, values)) as Field[];
  }
}

/** From fields that are a key and its value, in turn, after others. */
function toSessions(reply: readonly Field[], from: number): IndexedSession[] {
  const sessions: IndexedSession[] = [];
  for (let index = from; index < reply.length; index += 2) {
    const value = String(reply[index + 1]);
    const space = value.indexOf(' ');
    sessions.push({
      key: String(reply[index]),
      addedAt: Number(value.slice(0, space)) || 0,
      description: parseDescription(value.slice(space + 1)),
    });
  }
  return sessions.sort(inOrder);
}

/** Of those added within one millisecond, each process takes the same for the first. */
function inOrder(a: IndexedSession, b: IndexedSession): number {
  return a.addedAt - b.addedAt || (a.key < b.key ? -1 : 1);
}

/** What is no JSON was written by something else; the session is shown without it. */
function parseDescription(json: string): SessionDescription {
  try {
    return JSON.parse(json) as SessionDescription;
  } catch {
    return {};
  }
}
