// The tests run against a real redis-server and a real Chromium. As a program, this finds both and,
// where it may, installs what is missing; as a module, it tells the tests where they are.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const tools = {
  redis: { variable: 'REDIS_SERVER', names: ['redis-server'], aptPackage: 'redis-server' },
  chromium: {
    variable: 'CHROMIUM',
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    aptPackage: 'chromium',
  },
};

/** Path of the redis-server to test with. */
export function redisServer() {
  return found(tools.redis);
}

/** Path of the Chromium to test with. */
export function chromium() {
  return found(tools.chromium);
}

/** @typedef {typeof tools.redis} Tool */

/** @param {Tool} tool */
function found(tool) {
  const path = find(tool);
  if (!path) throw new Error(howToGet([tool]));
  return path;
}

/**
 * What the environment variable names wins, and is not second-guessed when it is wrong.
 *
 * @param {Tool} tool
 * @returns {string | undefined}
 */
function find({ variable, names }) {
  const set = process.env[variable];
  if (set) return isExecutable(set) ? set : undefined;
  return names.map(onPath).find(Boolean);
}

/** @param {string} name */
function onPath(name) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {Tool[]} missing */
function howToGet(missing) {
  const lines = missing.map(({ variable, names }) =>
    process.env[variable]
      ? `  ${variable}=${process.env[variable]} is not an executable file`
      : `  ${names[0]}: not on PATH; ${variable} may name its path`,
  );
  const packages = missing.map(({ aptPackage }) => aptPackage).join(' ');
  return ['The tests need:', ...lines, `On Debian or Ubuntu: apt-get install ${packages}`].join(
    '\n',
  );
}

function main() {
  const missing = () => Object.values(tools).filter((tool) => !find(tool));
  const installable = missing().filter(({ variable }) => !process.env[variable]);
  if (installable.length > 0 && process.getuid?.() === 0 && onPath('apt-get')) {
    aptGet('update');
    aptGet(
      'install',
      '-y',
      '--no-install-recommends',
      ...installable.map(({ aptPackage }) => aptPackage),
    );
  }
  const stillMissing = missing();
  if (stillMissing.length > 0) {
    console.error(howToGet(stillMissing));
    process.exitCode = 1;
  }
}

/** @param {string[]} args */
function aptGet(...args) {
  spawnSync('apt-get', args, {
    stdio: 'inherit',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
