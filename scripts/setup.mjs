// npm run setup: installs what the tests need and npm does not bring, redis-server and the browsers.
import { spawnSync } from 'node:child_process';
import { hasAll, howToGet, setup, thisMachine } from './tools.mjs';

const decision = setup(thisMachine());
if (decision.action === 'install') {
  const { packages, extraPackages } = decision;
  if (!aptGet('update') && packages.length > 0) fail('apt-get update has failed.');
  if (packages.length > 0 && !install(packages)) fail('apt-get install has failed.');
  // On Ubuntu, the package "chromium" only points to another way to install it.
  if (!hasAll(thisMachine())) fail(howToGet(thisMachine()));
  if (extraPackages.length > 0 && !install(extraPackages))
    console.error(`The tests go on without ${extraPackages.join(' and ')}, but slower.`);
} else if (decision.action === 'stop') {
  fail(decision.message);
} else {
  console.log(decision.message);
}

/** @param {string[]} packages */
function install(packages) {
  return aptGet('install', '-y', '--no-install-recommends', ...packages);
}

/**
 * Whether it has done it.
 *
 * @param {string[]} args
 */
function aptGet(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', args, { stdio: 'inherit', env }).status === 0;
}

/** @param {string} message */
function fail(message) {
  console.error(message);
  process.exit(1);
}
