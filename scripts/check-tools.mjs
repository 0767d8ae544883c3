// Runs before the tests: are redis-server and the browsers there?
import { spawnSync } from 'node:child_process';
import { beforeTests, thisMachine } from './tools.mjs';

const decision = beforeTests(thisMachine());
if (decision.action !== 'go on') console.error(decision.message);
if (decision.action === 'set up') {
  const { status } = spawnSync('npm', ['run', '-s', 'setup'], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
if (decision.action === 'stop') process.exitCode = 1;
