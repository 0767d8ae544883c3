import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import { Injectable } from '@nestjs/common';

const ENTRY = 'client.js';
const HASH_LENGTH = 16;

/** The ways to compress a file for those who take it so, the smallest result first. */
const ENCODERS = { br: promisify(brotliCompress), gzip: promisify(gzip) };
export type Encoding = keyof typeof ENCODERS;
export const ENCODINGS = Object.keys(ENCODERS) as Encoding[];

/** By encoding and name, which has a hash of the content: what one app of a process compressed, no other does again. */
const compressed = new Map<string, Promise<Buffer>>();

/** The browser client, as the endpoints serve it. */
export interface ClientScript {
  /** Its name with a hash of its content, for caches to keep for ever: `client.<hash>.js`, beside `client.js`. */
  readonly fileName: string;
  /** For the `integrity` attribute of the script element (Subresource Integrity). */
  readonly integrity: string;
}

/** The files of the browser client, `idle-session-client`, read once. */
@Injectable()
export class ClientFiles {
  /** The name of `client.js` with a hash of its content: `client.<hash>.js`. */
  readonly fileName: string;
  /** For the `integrity` attribute of the script element. */
  readonly integrity: string;
  /** All files whose name has a hash, by name: `client.<hash>.js` and what it loads when a page needs it. */
  private readonly files: ReadonlyMap<string, Buffer>;

  constructor() {
    const entry = createRequire(import.meta.url).resolve(`idle-session-client/${ENTRY}`);
    const folder = dirname(entry);
    const source = readFileSync(entry);
    const hash = createHash('sha384').update(source);
    this.integrity = `sha384-${hash.copy().digest('base64')}`;
    this.fileName = `client.${hash.digest('hex').slice(0, HASH_LENGTH)}.js`;
    const others = readdirSync(folder).filter((name) => name !== ENTRY);
    const files = new Map(others.map((name) => [name, readFileSync(join(folder, name))]));
    this.files = files.set(this.fileName, source);
  }

  get names(): readonly string[] {
    return [...this.files.keys()];
  }

  /** @param fileName one of {@link names} */
  get(fileName: string): Buffer {
    return this.files.get(fileName)!;
  }

  /** Undefined where it cannot be compressed now, for want of memory say. */
  async compressed(fileName: string, encoding: Encoding): Promise<Buffer | undefined> {
    const key = `${encoding} ${fileName}`;
    const known = compressed.get(key) ?? ENCODERS[encoding](this.get(fileName));
    compressed.set(key, known);
    return known.catch(() => {
      compressed.delete(key);
      return undefined;
    });
  }
}
