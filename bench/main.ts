import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isPartName, PARTS, type PartOptions } from './parts/index.js';
import { describeMachine } from './support/machine.js';
import { toMarkdown, type Report } from './support/report.js';

const RESULTS = 'bench/RESULTS.md';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cycles: { type: 'string' }, sessions: { type: 'string' }, trials: { type: 'string' } },
});
const unknown = positionals.filter((name) => !isPartName(name));
if (unknown.length > 0)
  throw new Error(
    `No such part: ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`,
  );

const options: PartOptions = Object.fromEntries(
  Object.entries(values).map(([name, value]) => [name, positive(name, value)]),
);
const reports: Report[] = [];
for (const name of positionals.length > 0 ? positionals : Object.keys(PARTS)) {
  const began = performance.now();
  reports.push(await runPart(name));
  console.error(`${name}: ${((performance.now() - began) / 1000).toFixed(0)} s`);
}
const markdown = toMarkdown(describeMachine(), reports);
console.log(markdown);
// Less than everything, or less often, is not what the results are to say.
if (positionals.length === 0 && Object.keys(options).length === 0) writeFileSync(RESULTS, markdown);

async function runPart(name: string): Promise<Report> {
  const child = fork(join(import.meta.dirname, 'run-part.js'), [name, JSON.stringify(options)], {
    execArgv: ['--expose-gc', '--enable-source-maps'],
  });
  const exited = once(child, 'exit');
  let report: Report | undefined;
  child.once('message', (message) => (report = message as Report));
  await exited;
  if (!report) throw new Error(`${name} failed`);
  return report;
}

function positive(name: string, value: string): number {
  const result = Number(value);
  if (Number.isInteger(result) && result > 0) return result;
  throw new Error(`--${name} takes a positive whole number, not ${value}`);
}
