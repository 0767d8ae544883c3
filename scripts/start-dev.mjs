// Rebuilds and restarts on each change of the sample and of the server library, which has a watcher of its own. It
// builds the browser client once: a change of that wants a new start.
import { execFileSync, spawn } from 'node:child_process';

const nest = 'node_modules/@nestjs/cli/bin/nest.js';
const tsc = 'node_modules/typescript/bin/tsc';

for (const build of [
  [nest, 'build', 'idle-session-client'],
  ['scripts/build-client.mjs'],
  [nest, 'build', 'idle-session'],
])
  execFileSync(process.execPath, build, { stdio: 'inherit' });

const watchers = [
  [tsc, '-p', 'libs/idle-session/tsconfig.lib.json', '--watch', '--preserveWatchOutput'],
  // `node --watch`, because nest restarts for the sample's own files only.
  [
    nest,
    'start',
    'sample',
    '--watch',
    '--watchAssets',
    '--preserveWatchOutput',
    '--exec',
    'node --watch',
  ],
].map((args) => spawn(process.execPath, args, { stdio: 'inherit' }));

const stop = () => watchers.forEach((watcher) => watcher.kill());
process.on('SIGINT', stop).on('SIGTERM', stop);
watchers.forEach((watcher) => watcher.on('exit', stop));
