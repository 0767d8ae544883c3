// npm run setup: installs what the tests need and npm does not bring, redis-server and Chromium.
import { spawnSync } from 'node:child_process';
import { howToGet, setup, thisMachine } from './tools.mjs';

const decision = setup(thisMachine());
if (decision.action === 'install') {
  aptGet('update');
  aptGet('install', '-y', '--no-install-recommends', ...decision.packages);
  // On Ubuntu, the package "chromium" only points to another way to install it.
  if (setup(thisMachine()).action !== 'go on') fail(howToGet(thisMachine()));
} else if (decision.action === 'stop') {
  fail(decision.message);
} else {
  console.log(decision.message);
}

/** @param {string[]} args */
function aptGet(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status } = spawnSync('apt-get', args, { stdio: 'inherit', env });
  if (status !== 0) fail(`apt-get ${args[0]} has failed.`);
}

/** @param {string} message */
function fail(message) {
  console.error(message);
  process.exit(1);
}
