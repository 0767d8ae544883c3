// The tests run against a real redis-server and real browsers of all three engines. This finds them, and decides what to
// do where one is missing.
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** @typedef {{ variable: string, names: string[], aptPackage: string }} Tool */

/**
 * What the decisions depend on.
 *
 * @typedef {object} Machine
 * @property {Record<string, string | undefined>} env
 * @property {(path: string) => boolean} isExecutable
 * @property {boolean} isRoot
 * @property {boolean} isDebian
 */

/** @type {Record<'redis' | 'chromium' | 'firefox' | 'webKitDriver' | 'xvfb', Tool>} */
const needed = {
  redis: { variable: 'REDIS_SERVER', names: ['redis-server'], aptPackage: 'redis-server' },
  chromium: {
    variable: 'CHROMIUM',
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    aptPackage: 'chromium',
  },
  firefox: {
    variable: 'FIREFOX',
    names: ['firefox-esr', 'firefox'],
    aptPackage: 'firefox-esr',
  },
  // Brings WebKitGTK's own small browser.
  webKitDriver: {
    variable: 'WEBKIT_DRIVER',
    names: ['WebKitWebDriver'],
    aptPackage: 'webkit2gtk-driver',
  },
  // WebKitGTK has no mode without a screen.
  xvfb: { variable: 'XVFB', names: ['Xvfb'], aptPackage: 'xvfb' },
};

const DEBIANS_CHROMIUM = '/usr/bin/chromium';

/**
 * Chromium's engine without its windows, profiles and extensions: a page in a browser context of its own costs a quarter
 * of the time.
 *
 * @type {Tool}
 */
const headlessShell = {
  variable: 'CHROMIUM_HEADLESS_SHELL',
  names: ['chromium-headless-shell'],
  aptPackage: 'chromium-headless-shell',
};

/** Path of the redis-server to test with. */
export function redisServer() {
  return pathOf(needed.redis);
}

/** Path of the Chromium to test with where its windows matter. */
export function chromium() {
  return pathOf(needed.chromium);
}

/** Path of the Chromium to test with where its pages are enough: a headless shell, unless only CHROMIUM is set. */
export function headlessChromium() {
  const { env } = process;
  const isForAll = env.CHROMIUM && !env[headlessShell.variable];
  return (isForAll ? undefined : find(headlessShell, thisMachine())) ?? chromium();
}

/** Path of the Firefox to test with. */
export function firefox() {
  return pathOf(needed.firefox);
}

/** Path of the program that drives WebKitGTK. */
export function webKitDriver() {
  return pathOf(needed.webKitDriver);
}

/** Path of the X server that shows its screen to nobody. */
export function xvfb() {
  return pathOf(needed.xvfb);
}

/** @returns {Machine} */
export function thisMachine() {
  return {
    env: process.env,
    isExecutable,
    isRoot: process.getuid?.() === 0,
    isDebian:
      existsSync('/etc/os-release') && /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8')),
  };
}

/**
 * What `npm test` does first. It installs something only where nobody is surprised: as root on Debian, which is a
 * container or a machine for builds.
 *
 * @param {Machine} machine
 * @returns {{ action: 'go on' } | { action: 'set up' | 'stop', message: string }}
 */
export function beforeTests(machine) {
  const missing = missingTools(machine);
  const wanted = [...missing, ...missingExtras(machine)];
  if (wanted.length > 0 && machine.isDebian && canInstall(wanted, machine)) {
    return {
      action: 'set up',
      message: `The tests need ${wanted.map(nameOf).join(' and ')}. \`npm run setup\` now installs what is missing, with apt-get.`,
    };
  }
  if (missing.length === 0) return { action: 'go on' };
  return { action: 'stop', message: howToGet(machine, missing) };
}

/**
 * What `npm run setup` does. Tests go on without the extra packages.
 *
 * @param {Machine} machine
 * @returns {{ action: 'install', packages: string[], extraPackages: string[] } | { action: 'go on' | 'stop', message: string }}
 */
export function setup(machine) {
  const missing = missingTools(machine);
  const extras = missingExtras(machine);
  if (missing.length + extras.length > 0 && canInstall([...missing, ...extras], machine)) {
    return {
      action: 'install',
      packages: missing.map(({ aptPackage }) => aptPackage),
      extraPackages: extras.map(({ aptPackage }) => aptPackage),
    };
  }
  if (missing.length > 0) return { action: 'stop', message: howToGet(machine, missing) };
  return { action: 'go on', message: 'All that the tests need is there.' };
}

/**
 * Whether every test can start.
 *
 * @param {Machine} machine
 */
export function hasAll(machine) {
  return missingTools(machine).length === 0;
}

/** @param {Machine} machine */
export function howToGet(machine, missing = missingTools(machine)) {
  const lines = missing.map((tool) => {
    const { variable, aptPackage } = tool;
    const path = machine.env[variable];
    return path
      ? `  ${nameOf(tool)}: ${variable}=${path} is not an executable file`
      : `  ${nameOf(tool)}: not on PATH, and ${variable} is not set (Debian's package: ${aptPackage})`;
  });
  return [
    'The tests need what is missing here:',
    ...lines,
    'As root on Debian, `npm run setup` installs it. Elsewhere, install it, and where it is not on PATH,',
    `set ${missing.map(({ variable }) => variable).join(' or ')} to its path.`,
  ].join('\n');
}

/** @param {Tool} tool */
function nameOf({ names: [name] }) {
  return name;
}

/**
 * Those without which no test starts.
 *
 * @param {Machine} machine
 */
function missingTools(machine) {
  return Object.values(needed).filter((tool) => !find(tool, machine));
}

/**
 * The headless shell, beside Debian's own Chromium, which has the same version.
 *
 * @param {Machine} machine
 */
function missingExtras(machine) {
  const beside = find(needed.chromium, machine) ?? DEBIANS_CHROMIUM;
  const isThere = find(headlessShell, machine) !== undefined;
  return machine.isDebian && beside === DEBIANS_CHROMIUM && !isThere ? [headlessShell] : [];
}

/**
 * A variable that names no program is for its author to put right.
 *
 * @param {Tool[]} missing
 * @param {Machine} machine
 */
function canInstall(missing, machine) {
  const mayInstall = machine.isRoot && onPath('apt-get', machine) !== undefined;
  return mayInstall && missing.every(({ variable }) => !machine.env[variable]);
}

/** @param {Tool} tool */
function pathOf(tool) {
  const machine = thisMachine();
  const path = find(tool, machine);
  if (!path) throw new Error(howToGet(machine, [tool]));
  return path;
}

/**
 * What the variable names wins, and is not second-guessed when it is wrong.
 *
 * @param {Tool} tool
 * @param {Machine} machine
 * @returns {string | undefined}
 */
function find({ variable, names }, machine) {
  const named = machine.env[variable];
  if (named) return machine.isExecutable(named) ? named : undefined;
  return names.map((name) => onPath(name, machine)).find(Boolean);
}

/**
 * @param {string} name
 * @param {Machine} machine
 */
function onPath(name, { env, isExecutable }) {
  const folders = (env.PATH ?? '').split(delimiter);
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
