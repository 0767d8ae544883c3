import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as main from 'nestjs-idle-session';
import * as redis from 'nestjs-idle-session/redis';
import * as testing from 'nestjs-idle-session/testing';
import { COMBINATIONS } from '../../scripts/compat.mjs';
import { documents, read, unmarkedBlocks, withSnippets } from '../../scripts/docs-snippets.mjs';

const root = join(import.meta.dirname, '../..');

/** The headings of a document as GitHub makes anchors of them. */
function anchorsOf(markdown: string): Set<string> {
  const counts = new Map<string, number>();
  const headings = withoutCode(markdown).matchAll(/^#{1,6} (.+)$/gm);
  return new Set(
    [...headings].map(([, heading = '']) => {
      const slug = heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-');
      const count = counts.get(slug) ?? 0;
      counts.set(slug, count + 1);
      return count === 0 ? slug : `${slug}-${count}`;
    }),
  );
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^```.*?^```$/gms, '').replace(/`[^`\n]*`/g, (code) => code.slice(1, -1));
}

/** What a document points to within the repository. */
function linksOf(markdown: string): string[] {
  const text = withoutCode(markdown);
  const inline = [...text.matchAll(/\]\(([^)\s]+)\)/g)];
  const referenced = [...text.matchAll(/^\[[^\]]+\]: (\S+)$/gm)];
  return [...inline, ...referenced]
    .map(([, link = '']) => link)
    .filter((link) => !/^(https?|mailto):/.test(link));
}

function isBroken(document: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? document : normalize(join(dirname(document), path));
  if (!existsSync(join(root, target))) return true;
  return anchor !== undefined && !anchorsOf(read(target)).has(anchor);
}

describe.each(documents())('%s', (document) => {
  it('has no code but what is cut from a file: `npm run docs:snippets` rewrites it', () => {
    expect(unmarkedBlocks(read(document))).toEqual([]);
    expect(read(document)).toBe(withSnippets(read(document)));
  });

  it('points to nothing that is not there', () => {
    expect(linksOf(read(document)).filter((link) => isBroken(document, link))).toEqual([]);
  });
});

describe('The documents', () => {
  it('are all in the contents', () => {
    const pages = documents().filter(
      (path) => path.startsWith('docs/') && path !== 'docs/README.md',
    );
    const listed = linksOf(read('docs/README.md')).map((link) => join('docs', link));
    expect(pages.filter((page) => !listed.includes(page))).toEqual([]);
  });

  it.each(Object.keys({ ...main, ...redis, ...testing }))(
    'tell of %s in the page of the API',
    (name) => {
      expect(read('docs/api.md')).toMatch(new RegExp(`^\\|[^|]*\`@?${name}\\b`, 'm'));
    },
  );

  it.each([
    ...Object.getOwnPropertyNames(main.IdleSessionService.prototype).slice(1),
    'events',
    'client',
  ])('tell of %s of the service in the page of the API', (member) => {
    expect(read('docs/api.md')).toMatch(new RegExp(`^\\| \`${member}\\b`, 'm'));
  });

  it('begin with a README that is read in five minutes', () => {
    expect(Buffer.byteLength(read('README.md'))).toBeLessThan(10_000);
  });

  it.each([
    ['Express', 'node_modules/express/package.json'],
    ['express-session', 'node_modules/express-session/package.json'],
    ['node-redis', 'node_modules/redis/package.json'],
    ['ioredis', 'node_modules/ioredis/package.json'],
  ])('name the version of %s that the tests run with', (name, manifest) => {
    const { version } = JSON.parse(read(manifest)) as Manifest;
    expect(testedWith(name)).toBe(minorOf(version));
  });

  it('name the versions of connect-redis that the tests run with', () => {
    const [ofNodeRedis, ofIoredis] = ['connect-redis', 'connect-redis-8'].map((part) => {
      const { version } = JSON.parse(read(`node_modules/${part}/package.json`)) as Manifest;
      return minorOf(version);
    });
    expect(testedWith('connect-redis')).toBe(`${ofNodeRedis}; ${ofIoredis} with ioredis`);
  });

  it('name the version of Node.js that the tests run with', () => {
    const others = COMBINATIONS.flatMap(({ node }) => node?.split('.')[0] ?? []);
    expect(testedWith('Node.js')).toBe([read('.nvmrc').trim(), ...others].join(', '));
  });

  it('name the versions of NestJS that the tests run with', () => {
    const { version } = JSON.parse(read('node_modules/@nestjs/core/package.json')) as Manifest;
    const others = COMBINATIONS.flatMap(({ nest }) => nest?.core ?? []);
    expect(testedWith('NestJS')).toBe([version, ...others].map(minorOf).join(', '));
  });

  it.each([
    ['React', 'react'],
    ['Vue', 'vue'],
    ['Angular', '@angular/core'],
  ])(
    'name the versions of %s that the tests run with: of this project, and the oldest',
    (name, part) => {
      const { version } = JSON.parse(read(`node_modules/${part}/package.json`)) as Manifest;
      const [oldest = ''] = COMBINATIONS.flatMap(({ frameworks }) => frameworks?.[part] ?? []);
      expect(testedWith(name)).toBe([version, oldest].map(minorOf).join(', '));
      const client = JSON.parse(read('libs/idle-session-client/package.json')) as Manifest;
      const range = `>=${oldest.replace(/([.]0)+$/, '')}`;
      expect(client.peerDependencies?.[part]).toBe(range);
    },
  );
});

interface Manifest {
  version: string;
  peerDependencies?: Record<string, string>;
}

const minorOf = (version: string) => version.split('.').slice(0, 2).join('.');

/** The last cell of a row in the compatibility table of the README. */
function testedWith(name: string): string | undefined {
  const row = read('README.md')
    .split('\n')
    .find((line) => line.startsWith(`| ${name} `));
  return row?.split('|').at(-2)?.trim();
}
