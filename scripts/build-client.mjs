// Bundles the browser client into the files that the server module serves, and holds them to their size.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const CLIENT = 'libs/idle-session-client';
const BUNDLE = join(CLIENT, 'dist/bundle');

/** The most that may go over the wire, in bytes: minified and gzipped. */
const CORE_LIMIT = 4950;
const PAGE_LIMIT = 12_580;
/** What the entry point of a framework adds to the core and the dialog. */
const FRAMEWORK_LIMIT = 1000;

/**
 * The size of a module that exports all of these.
 *
 * @param {string[]} modules
 */
async function sizeOf(...modules) {
  const { outputFiles } = await build({
    stdin: {
      contents: modules.map((path) => `export * from './${path}';`).join(''),
      resolveDir: join(CLIENT, 'src'),
    },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    external: ['@angular/core', 'react', 'vue'],
    write: false,
  });
  return outputFiles.reduce((size, { contents }) => size + gzipped(contents), 0);
}

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

/** @param {Uint8Array} contents */
const gzipped = (contents) => gzipSync(contents, { level: 9 }).length;

/**
 * @param {string} name
 * @param {number} size
 * @param {number} limit
 */
function check(name, size, limit) {
  console.error(`${name}: ${size} of at most ${limit} bytes, minified and gzipped`);
  if (size > limit) process.exitCode = 1;
}

for (const { contents } of await bundle('index.ts')) check('core', gzipped(contents), CORE_LIMIT);

const BASE = ['index.ts', 'dialog/idle-session-dialog.ts'];
const base = await sizeOf(...BASE);
for (const framework of ['angular', 'react', 'vue']) {
  check(framework, (await sizeOf(...BASE, `${framework}/index.ts`)) - base, FRAMEWORK_LIMIT);
}

rmSync(BUNDLE, { recursive: true, force: true });
mkdirSync(BUNDLE, { recursive: true });
for (const { path, contents } of await bundle('client.ts')) {
  writeFileSync(join(BUNDLE, basename(path)), contents);
  check(basename(path), gzipped(contents), PAGE_LIMIT);
}
