// npm run test:compat: the tests that depend on a version, on other versions than those of the lock file. What is not
// named here is as in the lock file; together, each version is tried once. Arguments: for Jest.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * @typedef {object} Combination
 * @property {string} name
 * @property {string} [node]
 * @property {Record<string, string>} [nest]
 * @property {Record<string, string>} [frameworks] of the browser, and what compiles their apps
 * @property {string[]} tests patterns of their paths
 */

/** Modules, routes, what runs before and after handlers, GraphQL and gateways. */
const WHERE_NEST_HAS_A_PART = [
  'activity',
  'applies-to',
  'cache-control',
  'cached-answers',
  'client-script',
  'coexistence',
  'confirm',
  'contexts',
  'cors',
  'ended\\.',
  'endpoints',
  'ends-with-session',
  'events',
  'exempt',
  'express-middleware',
  'for-root-async',
  'foreign-session',
  'fresh-session',
  'graphql',
  'imported-twice',
  'locked',
  'lost-while-running',
  'overriding',
  'page-navigation',
  'passive',
  'passport',
  'platform',
  'pushed-fields',
  'refusals',
  'replaced-id',
  'routing',
  'slow-requests',
  'socket-io',
  'start',
  'stream',
  'user-functions',
  'websockets',
];

/** Connections, and what takes long. */
const WHERE_NODE_HAS_A_PART = [
  '.*stream',
  'long-handlers',
  'slow-requests',
  'socket-io',
  'websockets',
];

/** @type {Combination[]} */
export const COMBINATIONS = [
  {
    name: 'oldest-frameworks-on-node-22',
    node: '22.23.5',
    tests: [
      ...['react', 'vue', 'angular'].map((name) => `test/browser/${name}`),
      ...WHERE_NODE_HAS_A_PART.map((name) => `test/server/${name}`),
    ],
    frameworks: {
      react: '18.0.0',
      'react-dom': '18.0.0',
      '@types/react': '18.3.31',
      '@types/react-dom': '18.3.7',
      vue: '3.3.0',
      '@angular/common': '17.0.0',
      '@angular/compiler': '17.0.0',
      '@angular/compiler-cli': '17.0.0',
      '@angular/core': '17.0.0',
      '@angular/platform-browser': '17.0.0',
      rxjs: '7.8.2',
      tslib: '2.8.1',
      typescript: '5.2.2',
      'zone.js': '0.14.2',
    },
  },
  {
    name: 'nest-11-on-node-24',
    node: '24.22.3',
    tests: WHERE_NEST_HAS_A_PART.map((name) => `test/server/${name}`),
    nest: {
      common: '11.2.10',
      core: '11.2.10',
      'platform-express': '11.2.10',
      'platform-fastify': '11.2.8',
      testing: '11.2.6',
      config: '4.0.4',
      passport: '11.0.5',
      graphql: '13.4.4',
      apollo: '13.4.5',
      'cache-manager': '3.1.3',
      websockets: '11.2.6',
      'platform-ws': '11.2.6',
      'platform-socket.io': '11.2.6',
      'serve-static': '5.0.5',
      swagger: '11.4.6',
    },
  },
];

const root = join(import.meta.dirname, '..');

const nodePackage = `node-${process.platform}-${process.arch}`;

/**
 * Under the project's node_modules, so that the other Nest shares rxjs and reflect-metadata with the tests.
 *
 * @param {Combination} combination
 */
const folderOf = ({ name }) => join(root, 'node_modules/.cache/compat', name);

/** @param {Combination} combination */
async function install(combination) {
  const { node, nest = {}, frameworks = {} } = combination;
  const folder = folderOf(combination);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const packages = Object.entries(nest).map(([part, version]) => `@nestjs/${part}@${version}`);
  if (node) packages.push(`${nodePackage}@${node}`);
  packages.push(...Object.entries(frameworks).map((entry) => entry.join('@')));
  const options = '--no-audit --no-fund --no-package-lock --ignore-scripts --legacy-peer-deps';
  const args = ['install', ...options.split(' '), ...packages];
  const child = spawn('npm', args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
  const [status] = await once(child, 'exit');
  if (status !== 0) process.exit(1);
}

/** @param {Combination} combination */
function check(combination) {
  const { name, node, nest = {}, frameworks, tests } = combination;
  const folder = folderOf(combination);
  const modules = join(folder, 'node_modules');
  const binary = node ? join(modules, nodePackage, 'bin/node') : process.execPath;
  const nestModules = Object.keys(nest).map((part) => [
    `@nestjs/${part}`,
    join(modules, '@nestjs', part),
  ]);
  console.log(`\n${name}: Node ${run(binary, ['--version'], root, { stdout: 'pipe' }).trim()}`);
  if (nestModules.length > 0) checkTypes(folder, nestModules);

  const config = join(folder, 'jest.config.mjs');
  writeFileSync(config, jestConfig(nestModules));
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  // test/browser/support/workbench.ts reads it.
  const env = frameworks && { FRAMEWORK_MODULES: modules };
  const args = [...flags, jest, '--config', config, ...process.argv.slice(2), ...tests];
  run(binary, args, root, { env });
}

/**
 * So that no test is left out when its file gets another name.
 *
 * @param {Combination} combination
 */
function refuseUnknown({ name, tests }) {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).map(
    (file) => `test/${file}`,
  );
  const unknown = tests.filter((test) => !files.some((file) => new RegExp(test).test(file)));
  if (unknown.length > 0) throw new Error(`${name}: no test is called ${unknown.join(', ')}`);
}

/**
 * The project's own, where Nest is another one.
 *
 * @param {string[][]} nestModules name and path of each
 */
function jestConfig(nestModules) {
  const mapper = Object.fromEntries(nestModules.map(([name, path]) => [`^${name}$`, path]));
  return `import base from '${pathToFileURL(join(root, 'jest.config.js')).href}';
const projects = base.projects.map((project) => ({
  ...project,
  moduleNameMapper: { ...${JSON.stringify(mapper)}, ...project.moduleNameMapper },
}));
export default { ...base, projects, reporters: [['default', { summaryThreshold: 1 }]] };
`;
}

/**
 * @param {string} folder
 * @param {string[][]} nestModules
 */
function checkTypes(folder, nestModules) {
  const tsconfig = join(root, 'tsconfig.json');
  /** @type {{ compilerOptions: { paths: Record<string, string[]> } }} */
  const { compilerOptions } = JSON.parse(readFileSync(tsconfig, 'utf8'));
  const own = Object.entries(compilerOptions.paths).map(([name, [path = '']]) => [
    name,
    join(root, path),
  ]);
  const paths = Object.fromEntries(
    [...own, ...nestModules].map(([name = '', path]) => [name, [path]]),
  );
  const project = join(folder, 'tsconfig.json');
  writeFileSync(
    project,
    JSON.stringify({
      extends: tsconfig,
      compilerOptions: { paths, typeRoots: [join(root, 'node_modules/@types')] },
      include: [join(root, 'libs/idle-session/src')],
    }),
  );
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project], root);
}

/**
 * Ends the check when the command fails: it has said why.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 * @param {{ stdout?: 'inherit' | 'pipe'; env?: Record<string, string> | undefined }} [options]
 */
function run(command, args, cwd, { stdout = 'inherit', env } = {}) {
  const result = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', stdout, 'inherit'],
    env: { ...process.env, ...env },
  });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(1);
  return result.stdout;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  COMBINATIONS.forEach(refuseUnknown);
  await Promise.all(COMBINATIONS.map(install));
  COMBINATIONS.forEach(check);
}
