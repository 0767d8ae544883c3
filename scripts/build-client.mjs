// Bundles the browser client into the files that the server module serves, and holds them to their size.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, transformSync } from 'esbuild';

const CLIENT = 'libs/idle-session-client';
const BUNDLE = join(CLIENT, 'dist/bundle');

/** The most that may go over the wire, in bytes: minified and gzipped. */
const CORE_LIMIT = 5290;
const PAGE_LIMIT = 11_370;
/** What a page loads besides: what keeps its drafts, and its language if that is not English. */
const DRAFTS_LIMIT = 2680;
const LANGUAGE_LIMIT = 450;
/** What the entry point of a framework adds to the core and the dialog. */
const FRAMEWORK_LIMIT = 1000;

/** Minifies the styles of the dialog, which are template strings, so that the package works without a bundler. */
const minifyStyles = {
  name: 'minify-styles',
  /** @param {import('esbuild').PluginBuild} build */
  setup(build) {
    build.onLoad({ filter: /[\\/]dialog[\\/]styles\.ts$/ }, ({ path }) => ({
      loader: 'ts',
      contents: readFileSync(path, 'utf8').replace(/`[^`]*`/g, (style) => {
        const { code } = transformSync(style.slice(1, -1), { loader: 'css', minify: true });
        return `\`${code.trim()}\``;
      }),
    }));
  },
};

const OPTIONS = /** @type {const} */ ({
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  write: false,
});

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
    ...OPTIONS,
    plugins: [minifyStyles],
    external: ['@angular/core', 'react', 'vue'],
  });
  return outputFiles.reduce((size, { contents }) => size + gzipped(contents), 0);
}

/**
 * @param {string} entry
 * @param {string} chunkNames what only some pages need is a file of its own
 */
async function bundle(entry, chunkNames = '[name]') {
  const { outputFiles } = await build({
    entryPoints: [join(CLIENT, 'src', entry)],
    ...OPTIONS,
    plugins: [minifyStyles],
    splitting: true,
    chunkNames,
    outdir: BUNDLE,
  });
  return outputFiles;
}

/** The files that the server serves. All that the script loads share one hash, so that it holds but one. */
async function bundleScript() {
  const hash = createHash('sha256');
  for (const { path, contents } of await bundle('client.ts')) {
    if (basename(path) !== 'client.js') hash.update(contents);
  }
  return bundle('client.ts', `[name].${hash.digest('hex').slice(0, 8)}`);
}

/** @param {Uint8Array} contents */
const gzipped = (contents) => gzipSync(contents, { level: 9 }).length;

/**
 * @param {string} name
 * @param {number} size
 * @param {number} limit
 */
function check(name, size, limit) {
  const isTooLarge = size > limit;
  if (isTooLarge) process.exitCode = 1;
  const verdict = isTooLarge ? ': too large' : '';
  console.error(`${name}: ${size} of at most ${limit} bytes, minified and gzipped${verdict}`);
}

/** @param {string} name */
function limitOf(name) {
  if (name === 'client.js') return PAGE_LIMIT;
  return name.startsWith('guard-forms') ? DRAFTS_LIMIT : LANGUAGE_LIMIT;
}

for (const { contents } of await bundle('index.ts')) check('core', gzipped(contents), CORE_LIMIT);

const BASE = ['index.ts', 'dialog/idle-session-dialog.ts'];
const base = await sizeOf(...BASE);
for (const framework of ['angular', 'react', 'vue']) {
  check(framework, (await sizeOf(...BASE, `${framework}/index.ts`)) - base, FRAMEWORK_LIMIT);
}

rmSync(BUNDLE, { recursive: true, force: true });
mkdirSync(BUNDLE, { recursive: true });
for (const { path, contents } of await bundleScript()) {
  const name = basename(path);
  writeFileSync(join(BUNDLE, name), contents);
  check(name, gzipped(contents), limitOf(name));
}
