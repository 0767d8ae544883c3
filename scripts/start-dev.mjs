// Rebuilds and restarts on every change: one watcher compiles the library, one the sample that runs on it.
import { execFileSync, spawn } from 'node:child_process';

const nest = 'node_modules/@nestjs/cli/bin/nest.js';
const tsc = 'node_modules/typescript/bin/tsc';

execFileSync(process.execPath, [nest, 'build', 'idle-session'], { stdio: 'inherit' });

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
