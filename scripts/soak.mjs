// npm run soak -- [--minutes 10] [--sessions 5000] [--idle-timeout 60] [--seed 1]
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    sessions: { type: 'string', default: '5000' },
    /** In seconds. */
    'idle-timeout': { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});

const options = {
  seed: Number(values.seed),
  durationMs: Number(values.minutes) * 60_000,
  sessions: Number(values.sessions),
  idleTimeoutMs: Number(values['idle-timeout']) * 1000,
  lockAfterMs: Number(values['idle-timeout']) * 600,
  killsProcesses: true,
};
console.log(`Soak: ${JSON.stringify(options)}`);
const { status } = spawnSync('npm', ['run', '-s', 'jest', '--', 'test/soak'], {
  stdio: 'inherit',
  env: { ...process.env, SOAK: JSON.stringify(options) },
});
process.exitCode = status ?? 1;
