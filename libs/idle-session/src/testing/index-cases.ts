import assert from 'node:assert/strict';
import type { ActivityStorage } from '../activity/activity-storage.js';
import type { IndexLimit, NewIndexedSession, OwnerIndex } from '../activity/owner-index.js';
import { alternate, KEY, type ActivityStorageContractCase } from './contract-case.js';

const OWNER = 'owner-1';
const DAY = 24 * 60 * 60_000;
const TWO: IndexLimit = { max: 2, refuse: false };
const TWO_AT_MOST: IndexLimit = { max: 2, refuse: true };

const session = (key: string, keepForMs: number | null = DAY): NewIndexedSession => ({
  key,
  description: { name: key },
  keepForMs,
});

/** Which sessions an owner has. A storage that has no `index` keeps to this too. */
export const indexCases: readonly ActivityStorageContractCase[] = [
  {
    name: 'lists the sessions of an owner in the order in which they were added, and of no other',
    async run({ storage, other, advance }) {
      const [one, two] = indexesOf(storage, other);
      if (!one || !two) return;
      await one.add(OWNER, session('b'));
      await advance(10);
      await two.add(OWNER, session('a'));
      await two.add('owner-2', session('c'));
      const { sessions, now } = await one.list(OWNER);
      assert.deepEqual(
        sessions.map(({ key, description }) => [key, description]),
        [
          ['b', { name: 'b' }],
          ['a', { name: 'a' }],
        ],
      );
      for (const { addedAt } of sessions) assert.ok(addedAt <= now);
      assert.deepEqual((await two.list('nobody')).sessions, []);
    },
  },
  {
    name: 'has a session once, which counts as added last',
    async run({ storage, other, advance }) {
      const [one, two] = indexesOf(storage, other);
      if (!one || !two) return;
      assert.equal((await one.add(OWNER, session('a'))).outcome, 'added');
      await advance(10);
      await one.add(OWNER, session('b'));
      await advance(10);
      const again = { ...session('a'), description: { name: 'another' } };
      assert.equal((await two.add(OWNER, again)).outcome, 'known');
      const { sessions } = await one.list(OWNER);
      assert.deepEqual(
        sessions.map(({ key, description }) => [key, description.name]),
        [
          ['b', 'b'],
          ['a', 'a'],
        ],
      );
    },
  },
  {
    name: 'names the other sessions of an owner where they are more than the limit',
    async run({ storage, advance }) {
      const { index } = storage;
      if (!index) return;
      for (const key of ['a', 'b']) {
        const { outcome, others } = await index.add(OWNER, session(key), TWO);
        assert.deepEqual([outcome, others], ['added', []]);
        await advance(10);
      }
      const third = await index.add(OWNER, session('c'), TWO);
      assert.equal(third.outcome, 'added');
      assert.deepEqual(keysOf(third.others), ['a', 'b']);
      const full = await index.add(OWNER, session('d'), { max: 3, refuse: true });
      assert.equal(full.outcome, 'full');
      assert.deepEqual(keysOf(full.others), ['a', 'b', 'c']);
      assert.equal((await index.add(OWNER, session('c'), TWO_AT_MOST)).outcome, 'known');
      assert.equal((await index.add(OWNER, session('e'))).others.length, 0, 'without a limit');
      assert.deepEqual(keysOf((await index.list(OWNER)).sessions).sort(), ['a', 'b', 'c', 'e']);
    },
  },
  {
    name: 'adds no more than the limit, of many at once',
    async run({ storage, other }) {
      const { index } = storage;
      if (!index) return;
      const additions = await Promise.all(
        alternate(storage, other, 20).map((each, at) =>
          (each.index ?? index).add(OWNER, session(`session-${at}`), TWO_AT_MOST),
        ),
      );
      assert.equal(additions.filter(({ outcome }) => outcome === 'added').length, 2);
      assert.equal((await index.list(OWNER)).sessions.length, 2);
    },
  },
  {
    name: 'removes sessions, unless they were added since',
    async run({ storage, other, advance }) {
      const [one, two] = indexesOf(storage, other);
      if (!one || !two) return;
      for (const key of ['a', 'b', 'c']) await one.add(OWNER, session(key));
      await advance(10);
      const { now } = await two.list(OWNER);
      await one.add(OWNER, session('b'));
      await two.remove(OWNER, ['a', 'b', 'd'], now);
      assert.deepEqual(keysOf((await one.list(OWNER)).sessions), ['c', 'b']);
      await one.remove(OWNER, ['b', 'c']);
      await one.remove(OWNER, []);
      assert.deepEqual((await two.list(OWNER)).sessions, []);
    },
  },
  {
    name: 'forgets a session when it may, and keeps the others of its owner',
    async run({ storage, advance }) {
      const { index } = storage;
      if (!index) return;
      await index.add(OWNER, session('a', 60_000));
      await index.add(OWNER, session('b', null));
      await index.add(OWNER, session('c', 2 * DAY));
      await advance(60_000);
      assert.deepEqual(keysOf((await index.list(OWNER)).sessions).sort(), ['b', 'c']);
      await advance(2 * DAY);
      assert.deepEqual(keysOf((await index.list(OWNER)).sessions), ['b']);
      const { outcome } = await index.add(OWNER, session('a'), TWO_AT_MOST);
      assert.equal(outcome, 'added', 'what it forgot does not count');
    },
  },
  {
    name: 'keeps what is said of a session as it is',
    async run({ storage, other }) {
      const [one, two] = indexesOf(storage, other);
      if (!one || !two) return;
      const description = JSON.parse(
        '{"name":"Über \\"7\\" \\n\\u0000 €","__proto__":"x","constructor":"y","":" "}',
      ) as Record<string, string>;
      await one.add(OWNER, { ...session(KEY), description });
      const [found] = (await two.list(OWNER)).sessions;
      assert.deepEqual(Object.entries(found!.description), Object.entries(description));
    },
  },
];

function indexesOf(...storages: ActivityStorage[]): (OwnerIndex | undefined)[] {
  return storages.map(({ index }) => index);
}

function keysOf(sessions: readonly { readonly key: string }[]): string[] {
  return sessions.map(({ key }) => key);
}
