// Bundles the browser client into the files that the server module serves, and holds them to their size.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const CLIENT = 'libs/idle-session-client';
const BUNDLE = join(CLIENT, 'dist/bundle');

/** The most that may go over the wire, in bytes: minified and gzipped. */
const CORE_LIMIT = 4767;
const PAGE_LIMIT = 10_240;

/** @param {string} entry */
async function bundle(entry) {
  const { outputFiles } = await build({
    entryPoints: [join(CLIENT, 'src', entry)],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    // What only some pages need is a file of its own.
    splitting: true,
    chunkNames: '[name].[hash]',
    outdir: BUNDLE,
    write: false,
  });
  return outputFiles;
}

/**
 * @param {string} name
 * @param {Uint8Array} contents
 * @param {number} limit
 */
function weigh(name, contents, limit) {
  const size = gzipSync(contents, { level: 9 }).length;
  console.error(`${name}: ${size} of at most ${limit} bytes, minified and gzipped`);
  if (size > limit) process.exitCode = 1;
}

for (const { contents } of await bundle('index.ts')) weigh('core', contents, CORE_LIMIT);

rmSync(BUNDLE, { recursive: true, force: true });
mkdirSync(BUNDLE, { recursive: true });
for (const { path, contents } of await bundle('client.ts')) {
  writeFileSync(join(BUNDLE, basename(path)), contents);
  weigh(basename(path), contents, PAGE_LIMIT);
}
