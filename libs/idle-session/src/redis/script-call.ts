import { createHash } from 'node:crypto';

/** What is used of node-redis: a client, a cluster, a sentinel and a pool all have it. */
export interface RedisScriptClient {
  eval(script: string, options: ScriptCall): Promise<unknown>;
  evalSha(sha1: string, options: ScriptCall): Promise<unknown>;
}

interface ScriptCall {
  keys: string[];
  arguments: string[];
}

export interface Script {
  readonly source: string;
  readonly sha1: string;
}

export const script = (source: string): Script => ({
  source,
  sha1: createHash('sha1').update(source).digest('hex'),
});

/** Runs a script by its hash, and sends it if Redis does not have it. */
export async function callScript(
  client: RedisScriptClient,
  { source, sha1 }: Script,
  keys: string[],
  values: readonly (string | number)[],
): Promise<unknown> {
  const call: ScriptCall = { keys, arguments: values.map(String) };
  try {
    return await client.evalSha(sha1, call);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return client.eval(source, call);
  }
}
