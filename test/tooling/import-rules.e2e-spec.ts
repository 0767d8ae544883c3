import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const SERVER = 'libs/idle-session/src';
const CLIENT = 'libs/idle-session-client/src';

const PACKAGES = {
  'idle-session-client': `${CLIENT}/index.ts`,
  'idle-session-client/protocol': `${CLIENT}/protocol/index.ts`,
  'nestjs-idle-session': `${SERVER}/index.ts`,
  'nestjs-idle-session/testing': `${SERVER}/testing/index.ts`,
};

/** Each file of the fixture, and its one import. */
const allowed: [path: string, imported: string][] = [
  [`${SERVER}/index.ts`, './idle-session.module.js'],
  [`${SERVER}/idle-session.module.ts`, './idle-session-core.module.js'],
  [`${SERVER}/idle-session-core.module.ts`, './idle-session.service.js'],
  [`${SERVER}/idle-session.service.ts`, './endpoints/controller.js'],
  [`${SERVER}/endpoints/controller.ts`, '../request/guard.js'],
  [`${SERVER}/request/guard.ts`, '../session/lookup.js'],
  [`${SERVER}/session/lookup.ts`, 'idle-session-client/protocol'],
  [`${SERVER}/redis/index.ts`, '../activity/evaluate.js'],
  [`${SERVER}/activity/evaluate.ts`, './buffer/feed.js'],
  [`${SERVER}/activity/evaluate.spec.ts`, '../testing/index.js'],
  [`${SERVER}/testing/index.ts`, '../activity/evaluate.js'],
  [`${CLIENT}/client.ts`, './index.js'],
  [`${CLIENT}/index.ts`, './session/session.js'],
  [`${CLIENT}/react/index.ts`, 'react'],
  [`${CLIENT}/angular/index.ts`, '@angular/core'],
  [`${CLIENT}/vue/index.ts`, '../dialog/dialog.js'],
  [`${CLIENT}/dialog/dialog.ts`, '../session/session.js'],
  [`${CLIENT}/session/session.ts`, '../protocol/index.js'],
  [`${CLIENT}/session/session.spec.ts`, '../../testing/world.js'],
  ['apps/sample/src/main.ts', 'nestjs-idle-session'],
  ['apps/sample/public/page.js', '/idle-session/client.js'],
];

const forbidden: [path: string, imported: string, rule: string][] = [
  [`${SERVER}/utils/a.ts`, '../activity/evaluate.js', 'imports only from below it'],
  [`${SERVER}/activity/a.ts`, '../redis/index.js', 'imports only from below it'],
  [`${SERVER}/redis/a.ts`, '../options/options.js', 'imports only from below it'],
  [`${SERVER}/options/a.ts`, '../session/lookup.js', 'imports only from below it'],
  [`${SERVER}/session/a.ts`, '../request/guard.js', 'imports only from below it'],
  [`${SERVER}/request/a.ts`, '../endpoints/controller.js', 'imports only from below it'],
  [`${SERVER}/endpoints/a.ts`, '../idle-session.service.js', 'imports only from below it'],
  [`${SERVER}/testing/a.ts`, '../options/options.js', 'imports only from below it'],
  [`${SERVER}/utils/a.spec.ts`, '../activity/evaluate.js', 'imports only from below it'],
  [`${SERVER}/session/b.ts`, '../testing/index.js', 'only specs import testing'],
  [`${SERVER}/new/a.ts`, '../utils/duration.js', 'every folder has its place'],
  [`${SERVER}/new-file.ts`, './utils/duration.js', 'every folder has its place'],
  [`${SERVER}/session/c.ts`, '../other/without-imports.js', 'every folder has its place'],
  [`${SERVER}/session/d.ts`, 'idle-session-client', 'a library imports only itself'],
  [`${SERVER}/session/e.ts`, '../../../../test/support/until.js', 'a library imports only itself'],
  [
    `${SERVER}/session/f.ts`,
    '../../../idle-session-client/src/protocol/index.js',
    'by package name',
  ],
  [`${CLIENT}/protocol/a.ts`, '../browser/browser.js', 'imports only from below it'],
  [`${CLIENT}/browser/a.ts`, '../session/session.js', 'imports only from below it'],
  [`${CLIENT}/session/a.ts`, '../dialog/dialog.js', 'imports only from below it'],
  [`${CLIENT}/dialog/a.ts`, '../drafts/drafts.js', 'imports only from below it'],
  [`${CLIENT}/drafts/a.ts`, '../dialog/dialog.js', 'imports only from below it'],
  [`${CLIENT}/dialog/b.ts`, '../index.js', 'imports only from below it'],
  [`${CLIENT}/dialog/c.ts`, '../react/index.js', 'imports only from below it'],
  [`${CLIENT}/react/a.ts`, '../vue/index.js', 'imports only from below it'],
  [`${CLIENT}/react/b.ts`, 'vue', 'only the entry point of a framework'],
  [`${CLIENT}/session/d.ts`, '@angular/core', 'only the entry point of a framework'],
  [`${CLIENT}/session/b.ts`, '../../testing/world.js', 'only specs import testing'],
  [`${CLIENT}/session/c.ts`, 'nestjs-idle-session', 'a library imports only itself'],
  [`${CLIENT}/elsewhere/a.ts`, '../protocol/index.js', 'every folder has its place'],
  ['apps/sample/src/a.ts', '../../../libs/idle-session/src/index.js', 'by package name'],
  ['apps/sample/src/b.ts', '../../minimal/src/main.js', 'by package name'],
  ['test/support/a.ts', './back-to-a.js', 'no circles'],
  ['bench/a.ts', './missing.js', 'every import leads somewhere'],
];

const frameworks = ['@angular/core', 'react', 'vue'];

const withoutImports = [
  `${SERVER}/activity/buffer/feed.ts`,
  `${SERVER}/options/options.ts`,
  `${SERVER}/other/without-imports.ts`,
  `${SERVER}/utils/duration.ts`,
  `${CLIENT}/browser/browser.ts`,
  `${CLIENT}/drafts/drafts.ts`,
  `${CLIENT}/protocol/index.ts`,
  'libs/idle-session-client/testing/world.ts',
  'apps/minimal/src/main.ts',
  'test/support/until.ts',
];

describe('the rules for imports', () => {
  let violations: Violation[];
  const fixture = mkdtempSync(join(tmpdir(), 'import-rules-'));

  beforeAll(() => {
    for (const path of withoutImports) write(path, 'export {};\n');
    write('test/support/back-to-a.ts', "import './a.js';\n");
    for (const [path, imported] of [...allowed, ...forbidden]) {
      // A type is the least that one file can take from another.
      write(
        path,
        path.endsWith('.js') ? `import '${imported}';\n` : `import type {} from '${imported}';\n`,
      );
    }
    for (const name of frameworks) {
      write(`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' }));
      write(`node_modules/${name}/index.js`, '');
    }
    const paths = Object.entries(PACKAGES).map(([name, path]) => [name, [`./${path}`]]);
    const compilerOptions = { module: 'nodenext', paths: Object.fromEntries(paths) };
    write('tsconfig.json', JSON.stringify({ compilerOptions }));
    violations = cruise();
  });

  afterAll(() => rmSync(fixture, { recursive: true }));

  it.each(allowed)('let %s import %s', (path, _imported) => {
    expect(violations.filter(({ from }) => from === path)).toEqual([]);
  });

  it.each(forbidden)('do not let %s import %s', (path, _imported, rule) => {
    expect(violations).toContainEqual({ from: path, rule: expect.stringContaining(rule) });
  });

  interface Violation {
    readonly from: string;
    readonly rule: string;
  }

  function write(path: string, text: string): void {
    mkdirSync(join(fixture, dirname(path)), { recursive: true });
    writeFileSync(join(fixture, path), text);
  }

  function cruise(): Violation[] {
    const program = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
    const config = join(ROOT, '.dependency-cruiser.js');
    const args = [
      program,
      '--config',
      config,
      '--output-type',
      'json',
      'apps',
      'bench',
      'libs',
      'test',
    ];
    const { stdout } = spawnSync(process.execPath, args, { cwd: fixture, encoding: 'utf8' });
    const { summary } = JSON.parse(stdout) as {
      summary: { violations: { from: string; rule: { name: string } }[] };
    };
    return summary.violations.map(({ from, rule }) => ({ from, rule: rule.name }));
  }
});
