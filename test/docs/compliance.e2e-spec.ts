import { existsSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { INestApplication, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { IdleSessionService } from 'nestjs-idle-session';
import supertest from 'supertest';
import * as compliance from '../../docs/examples/compliance.js';
import { PRESETS } from '../../libs/idle-session/src/options/presets.js';
import { read } from '../../scripts/docs-snippets.mjs';
import { SECRET } from '../support/test-app.js';

const page = read('docs/compliance.md');

/** The cells of all rows of the page's tables. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.split('|').map((cell) => cell.trim()));

const tests = rows.flatMap(([, id = '', file = '', name = '']) => {
  const path = /\]\((.+)\)/.exec(file)?.[1];
  return /^T\d+$/.test(id) && path ? [{ id, name, path: normalize(join('docs', path)) }] : [];
});

/** What the rows of the standards cite. */
const cited = rows.flatMap((cells) => /^(T\d+(, )?)+$/.exec(cells.at(-2) ?? '')?.[0].split(', '));

describe('docs/compliance.md', () => {
  it.each(tests)('names a test that exists: $id, $name', ({ path, name }) => {
    expect(existsSync(path)).toBe(true);
    const isThere = [`'${name}'`, `"${name}"`, `\`${name}\``].some((text) =>
      read(path).includes(text),
    );
    expect(isThere).toBe(true);
  });

  it('names each test that it cites, and cites each test that it names', () => {
    const ids = tests.map(({ id }) => id);
    expect(ids).toHaveLength(new Set(ids).size);
    expect(new Set(cited.filter((id) => id !== undefined))).toEqual(new Set(ids));
  });

  it('cites a test for each clause of a standard', () => {
    const start = page.indexOf('\n## PCI DSS');
    const standards = page.slice(start, page.indexOf('\n## What stays yours'));
    const clauses = standards.split('\n').filter((line) => /^\| (V-)?\d/.test(line));
    expect(clauses.length).toBeGreaterThan(40);
    expect(clauses.filter((line) => !/\| T\d+[^|]*\|$/.test(line))).toEqual([]);
  });

  it.each(Object.entries(PRESETS))(
    'has preset %s and each clause that it holds',
    (preset, rules) => {
      expect(rows.some(([, cell]) => cell === `\`${preset}\``)).toBe(true);
      for (const { clause } of Object.values(rules)) {
        const [, at] = /, ([^,]+)$/.exec(clause)!;
        expect(rows.map(([, cell]) => cell)).toContain(at);
      }
    },
  );
});

describe('Examples of docs/compliance.md', () => {
  let app: INestApplication | undefined;
  afterEach(() => app?.close());

  async function start(module: Type, controllers: Type[] = []) {
    const built = await Test.createTestingModule({ imports: [module], controllers }).compile();
    app = await built.createNestApplication().init();
    return app;
  }

  it('an option that is stricter than the preset is taken, and policy() answers as JSON', async () => {
    const started = await start(compliance.WithPreset, [compliance.SessionPolicyController]);
    const { body, text } = await supertest(started.getHttpServer())
      .get('/admin/session-policy')
      .expect(200);
    expect(body).toMatchObject({
      preset: 'nist-aal2',
      limits: expect.arrayContaining([
        expect.objectContaining({ option: 'idleTimeout', value: 1_800_000, source: 'option' }),
        expect.objectContaining({ option: 'absoluteTimeout', source: 'preset' }),
      ]),
    });
    expect(text).not.toContain(SECRET);
    // The page shows the line that is logged.
    expect(page.replace(/\s+/g, ' ')).toContain((body as { summary: string }).summary);
  });

  it('a function decides by role', async () => {
    const started = await start(compliance.WithPresetPerRole);
    const [idle] = started.get(IdleSessionService).policy().limits;
    expect(idle).toMatchObject({ value: null, clause: 'DISA ASD STIG, V-222389' });
  });
});
