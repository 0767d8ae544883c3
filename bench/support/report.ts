import type { Estimate } from './statistics.js';

/** What one part of the bench found. */
export interface Report {
  readonly title: string;
  readonly goals: readonly Goal[];
  readonly tables: readonly Table[];
  readonly notes: readonly string[];
}

/** Something that was to be reached. */
export interface Goal {
  readonly what: string;
  readonly is: 'at least' | 'at most';
  readonly target: number;
  readonly unit?: string;
  /** Undefined: could not be measured; a note of the report says why. */
  readonly measured: number | Estimate | undefined;
}

interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function toMarkdown(machine: readonly string[], reports: readonly Report[]): string {
  const goals = reports.flatMap((report) => report.goals);
  return [
    '# Results',
    'Written by `npm run bench`; [README.md](README.md) says how to read it.',
    machine.map((line) => `- ${line}`).join('\n'),
    '## Goals',
    tableOf({ columns: ['What', 'Goal', 'Measured', 'Met'], rows: goals.map(goalRow) }),
    ...reports.flatMap(({ title, tables, notes }) => [
      `## ${title}`,
      ...tables.map(tableOf),
      ...(notes.length > 0 ? [notes.map((note) => `- ${note}`).join('\n')] : []),
    ]),
  ]
    .join('\n\n')
    .concat('\n');
}

/** `1.05 (1.03 to 1.07)` */
export function inWords({ value, low, high }: Estimate): string {
  return `${number(value)} (${number(low)} to ${number(high)})`;
}

/** To three digits, as far as they are worth saying. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

function goalRow({ what, is, target, unit = '', measured }: Goal): string[] {
  const withUnit = (text: string) => [text, unit].filter(Boolean).join(' ');
  const goal = withUnit(`${is} ${number(target)}`);
  if (measured === undefined) return [what, goal, '–', 'not measured'];
  const value = typeof measured === 'number' ? measured : measured.value;
  const said = typeof measured === 'number' ? number(measured) : inWords(measured);
  return [what, goal, withUnit(said), verdict(value, is, target)];
}

function verdict(value: number, is: Goal['is'], target: number): string {
  const missing = is === 'at least' ? target - value : value - target;
  if (missing <= 0) return 'yes';
  if (target === 0) return `no, by ${number(missing)}`;
  const share = (missing / target) * 100;
  return `no, by ${share < 1 ? share.toFixed(1) : Math.round(share)} %`;
}

function tableOf({ columns, rows }: Table): string {
  const all = [columns, ...rows];
  const widths = columns.map((_, at) => Math.max(3, ...all.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, at) => (cells[at] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(columns), rule, ...rows.map(line)].join('\n');
}
