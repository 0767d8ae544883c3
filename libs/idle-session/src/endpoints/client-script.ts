import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The browser client, as the module serves it. */
export interface ClientScript {
  /** Its name with a hash of its content, for caches to keep for ever: `client.<hash>.js`, beside `client.js`. */
  readonly fileName: string;
  /** For the `integrity` attribute of the script element (Subresource Integrity). */
  readonly integrity: string;
  /** By name, all files with a hash in theirs; what `client.js` loads when a page needs it is among them. @internal */
  readonly files: ReadonlyMap<string, Buffer>;
}

const ENTRY = 'client.js';
const HASH_LENGTH = 16;

/** Reads the files of `idle-session-client`. */
export function readClientScript(): ClientScript {
  const entry = createRequire(import.meta.url).resolve(`idle-session-client/${ENTRY}`);
  const folder = dirname(entry);
  const source = readFileSync(entry);
  const hash = createHash('sha384').update(source);
  const integrity = `sha384-${hash.copy().digest('base64')}`;
  const fileName = `client.${hash.digest('hex').slice(0, HASH_LENGTH)}.js`;
  const others = readdirSync(folder).filter((name) => name !== ENTRY);
  const files = new Map(others.map((name) => [name, readFileSync(join(folder, name))]));
  return { fileName, integrity, files: files.set(fileName, source) };
}
