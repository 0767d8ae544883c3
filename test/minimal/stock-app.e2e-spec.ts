import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
const template = join(root, 'node_modules/@nestjs/schematics/dist/lib/application/files/ts-esm');
const tsc = join(root, 'node_modules/typescript/bin/tsc');

const folder = mkdtempSync(join(tmpdir(), 'stock-app-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** An app with the compiler options that `nest new --strict` writes, and the quick start as its main.ts. */
function stockApp(): string {
  const app = join(folder, 'app');
  mkdirSync(join(app, 'src'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(app, 'node_modules'), 'junction');
  const config = readFileSync(join(template, 'tsconfig.json'), 'utf8')
    .replace('<%= strict %>', 'true')
    // The stock test runner is not installed here.
    .replace(/"types": \[.*?\]/, '"types": ["node"]');
  writeFileSync(join(app, 'tsconfig.json'), config);
  writeFileSync(join(app, 'package.json'), JSON.stringify({ type: 'module' }));
  copyFileSync(join(root, 'apps/minimal/src/main.ts'), join(app, 'src/main.ts'));
  return app;
}

describe('An app as `nest new` makes it', () => {
  it('compiles the quick start', () => {
    const { stdout, status } = spawnSync(process.execPath, [tsc, '--noEmit', '-p', stockApp()], {
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });
});
