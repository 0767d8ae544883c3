import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { chromium, redisServer } from '../../scripts/tools.mjs';

const PACKAGES = [
  '@nestjs/core',
  '@nestjs/platform-express',
  'express',
  'express-session',
  'connect-redis',
  'redis',
  'nestjs-idle-session',
];

/** What the numbers depend on; nothing that says whose machine it is. */
export function describeMachine(): string[] {
  const [cpu] = cpus();
  const gibibytes = totalmem() / 2 ** 30;
  return [
    `${new Date().toISOString().slice(0, 10)}, ${cpu?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, ${gibibytes.toFixed(0)} GiB, ${type()} ${release()}`,
    `Node ${process.versions.node}, redis-server ${version(redisServer(), /v=(\S+)/)}, Chromium ${version(chromium(), /([\d.]+)/)}`,
    PACKAGES.map((name) => `${name} ${packageVersion(name)}`).join(', '),
  ];
}

function version(program: string, pattern: RegExp): string {
  const output = execFileSync(program, ['--version'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return pattern.exec(output)?.[1] ?? 'unknown';
}

function packageVersion(name: string): string {
  const manifest = readFileSync(join('node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
