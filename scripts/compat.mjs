// npm run test:compat: the unit and HTTP tests on other versions than those of the lock file. What is not named here
// is as in the lock file; together, each version is tried once.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** @typedef {{ name: string, node?: string, nest?: Record<string, string> }} Combination */

/** @type {Combination[]} */
export const COMBINATIONS = [
  {
    name: 'nest-11-on-node-22',
    node: '22.23.5',
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
      'serve-static': '5.0.5',
      swagger: '11.4.6',
    },
  },
  { name: 'node-24', node: '24.22.3' },
];

const TESTS = ['libs/', 'test/server/'];

const root = join(import.meta.dirname, '..');

/** @param {Combination} combination */
function check({ name, node, nest = {} }) {
  // Under the project's node_modules, so that the other Nest shares rxjs and reflect-metadata with the tests.
  const folder = join(root, 'node_modules/.cache/compat', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const nodePackage = `node-${process.platform}-${process.arch}`;
  const packages = Object.entries(nest).map(([part, version]) => `@nestjs/${part}@${version}`);
  if (node) packages.push(`${nodePackage}@${node}`);
  const options = '--no-audit --no-fund --no-package-lock --ignore-scripts --legacy-peer-deps';
  run('npm', ['install', ...options.split(' '), ...packages], folder);

  const modules = join(folder, 'node_modules');
  const binary = node ? join(modules, nodePackage, 'bin/node') : process.execPath;
  const nestModules = Object.keys(nest).map((part) => [
    `@nestjs/${part}`,
    join(modules, '@nestjs', part),
  ]);
  console.log(`\n${name}: Node ${run(binary, ['--version'], root, 'pipe').trim()}`);
  if (nestModules.length > 0) checkTypes(folder, nestModules);

  const config = join(folder, 'jest.config.mjs');
  writeFileSync(config, jestConfig(nestModules));
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  run(binary, [...flags, jest, '--config', config, ...TESTS], root);
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
 * @param {'inherit' | 'pipe'} stdout
 */
function run(command, args, cwd, stdout = 'inherit') {
  const stdio = /** @type {const} */ (['ignore', stdout, 'inherit']);
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', stdio: [...stdio] });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(1);
  return result.stdout;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) COMBINATIONS.forEach(check);
