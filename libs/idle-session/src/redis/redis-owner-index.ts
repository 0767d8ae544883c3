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

/** How many fields of a reply are about one session. */
const FIELDS_OF_SESSION = 3;

/** The sessions of each owner under one key, in a slot of its own. */
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
    const [outcome, now, ...others] = (await this.run(
      owner,
      ADD,
      key,
      JSON.stringify(description),
      keepForMs ?? 0,
      Number.isFinite(max) ? Math.max(0, max) : -1,
      refuse ? 1 : 0,
    )) as [IndexAddition['outcome'], Field, ...Field[]];
    return {
      outcome: String(outcome) as IndexAddition['outcome'],
      others: toSessions(others),
      now: Number(now),
    };
  }

  async list(owner: string): Promise<IndexReading> {
    const [now, ...sessions] = (await this.run(owner, LIST)) as [Field, ...Field[]];
    return { sessions: toSessions(sessions), now: Number(now) };
  }

  async remove(owner: string, keys: readonly string[], addedBefore = -1): Promise<void> {
    if (keys.length > 0) await this.run(owner, REMOVE, addedBefore, ...keys);
  }

  private run(owner: string, operation: Script, ...values: Field[]): Promise<unknown> {
    return callScript(this.client, operation, [`${this.prefix}{${owner}}:sessions`], values);
  }
}

function toSessions(fields: readonly Field[]): IndexedSession[] {
  const sessions: IndexedSession[] = [];
  for (let index = 0; index < fields.length; index += FIELDS_OF_SESSION) {
    const [key, addedAt, description] = fields.slice(index, index + FIELDS_OF_SESSION);
    sessions.push({
      key: String(key),
      addedAt: Number(addedAt),
      description: parseDescription(String(description)),
    });
  }
  return sessions;
}

/** What is no JSON was written by something else; the session is shown without it. */
function parseDescription(json: string): SessionDescription {
  try {
    return JSON.parse(json) as SessionDescription;
  } catch {
    return {};
  }
}
