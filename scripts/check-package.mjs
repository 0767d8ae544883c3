// Looks at each library as npm would publish it, then uses it from a folder outside the workspace.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');

for (const name of readdirSync(join(root, 'libs'))) {
  const library = join(root, 'libs', name);
  run('npx', ['publint', '--strict', library], root);
  run('npx', ['attw', '--pack', library, '--profile', 'esm-only'], root);

  const workbench = mkdtempSync(join(tmpdir(), `${name}-`));
  process.on('exit', () => rmSync(workbench, { recursive: true }));
  checkPacked(library, workbench);
}

/**
 * @param {string} library
 * @param {string} workbench an empty folder
 */
function checkPacked(library, workbench) {
  const [packed] = JSON.parse(
    run('npm', ['pack', '--json', '--pack-destination', workbench], library, 'pipe'),
  );
  /** @type {string[]} */
  const files = packed.files.map((/** @type {{ path: string }} */ file) => file.path);
  checkFiles(files);

  const modules = join(workbench, 'node_modules');
  const installed = join(modules, packed.name);
  mkdirSync(installed, { recursive: true });
  const tarball = join(workbench, packed.filename);
  run('tar', ['-xzf', tarball, '--strip-components=1'], installed);
  checkDeclarations(files.map((file) => join(installed, file)));
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));

  // Only what the package says it needs is there, so an undeclared import fails here.
  const optional = Object.keys(manifest.peerDependenciesMeta ?? {});
  const needed = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  const entryPoints = Object.keys(manifest.exports)
    // Not package.json, and not a file that browsers load.
    .filter((key) => !/\.js(on)?$/.test(key))
    .map((key) => join(packed.name, key));
  const required = needed.filter((dependency) => !optional.includes(dependency));
  link(required, modules);
  load([packed.name], workbench);
  link(optional, modules);
  load(entryPoints, workbench);
  // Angular itself does not load there, without a preset of its own.
  loadInJest(
    entryPoints.filter((name) => !name.endsWith('/angular')),
    workbench,
  );
  checkTypes(entryPoints, workbench);
  console.log(
    `${packed.filename}: ${entryPoints.join(', ')} load by import, by require and in Jest`,
  );
}

/** @param {string[]} paths */
function checkFiles(paths) {
  const expected = /^(dist\/.+\.(js|js\.map|d\.ts)|package\.json|README\.md|LICENSE)$/;
  const unexpected = paths.filter(
    (path) => !expected.test(path) || /\.(spec|e2e-spec)\./.test(path),
  );
  const missing = ['README.md', 'LICENSE'].filter((path) => !paths.includes(path));
  if (unexpected.length + missing.length === 0) return;
  console.error('The package should not hold', unexpected, 'and lacks', missing);
  process.exit(1);
}

/**
 * A build without stripInternal publishes what the source marks as internal.
 *
 * @param {string[]} paths
 */
function checkDeclarations(paths) {
  const declarations = paths.filter((path) => path.endsWith('.d.ts'));
  const leaking = declarations.filter((path) => readFileSync(path, 'utf8').includes('@internal'));
  if (leaking.length === 0) return;
  console.error('Internal members are declared in', leaking);
  process.exit(1);
}

/**
 * @param {string[]} dependencies
 * @param {string} modules
 */
function link(dependencies, modules) {
  for (const dependency of dependencies) {
    const target = join(modules, dependency);
    mkdirSync(dirname(target), { recursive: true });
    symlinkSync(join(root, 'node_modules', dependency), target, 'junction');
  }
}

/**
 * @param {string[]} entryPoints
 * @param {string} folder
 */
function load(entryPoints, folder) {
  for (const name of entryPoints) {
    run('node', ['--input-type=module', '-e', `await import('${name}')`], folder);
    run('node', ['--input-type=commonjs', '-e', `require('${name}')`], folder);
  }
}

/**
 * In Jest's CommonJS mode, which does not require ES modules before Node 24.9, with what the documentation says.
 *
 * @param {string[]} entryPoints
 * @param {string} folder
 */
function loadInJest(entryPoints, folder) {
  link(['@swc/jest'], join(folder, 'node_modules'));
  copyFileSync(join(root, 'docs/examples/jest-commonjs.mjs'), join(folder, 'jest.config.mjs'));
  const names = JSON.stringify(entryPoints);
  writeFileSync(
    join(folder, 'load.test.js'),
    `it.each(${names})('%s loads', (n) => void require(n));`,
  );
  run(process.execPath, [join(root, 'node_modules/jest/bin/jest.js')], folder);
}

/**
 * Compiles what imports every entry point: as an ES module does, and as CommonJS apps do that resolve modules the old
 * way, which looks at `main`, `types` and `typesVersions` only.
 *
 * @param {string[]} entryPoints
 * @param {string} folder
 */
function checkTypes(entryPoints, folder) {
  const lines = entryPoints.map((name, index) => `export * as entry${index} from '${name}';\n`);
  link(['@types/node'], join(folder, 'node_modules'));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  // Without skipLibCheck: the declarations themselves have to compile with what the package depends on.
  const consumers = {
    'consumer.mts': '--module nodenext',
    'consumer.ts':
      '--module commonjs --moduleResolution node10 --ignoreDeprecations 6.0 --skipLibCheck',
  };
  for (const [file, options] of Object.entries(consumers)) {
    writeFileSync(join(folder, file), lines.join(''));
    const common = '--noEmit --strict --target es2023 --types node'.split(' ');
    run(process.execPath, [tsc, ...common, ...options.split(' '), file], folder);
  }
}

/**
 * Ends the check when the command fails: it has said why.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 * @param {'inherit' | 'pipe'} stdout
 */
function run(command, args, cwd, stdout = 'inherit') {
  const result = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', stdout, 'inherit'],
  });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(1);
  return result.stdout;
}
