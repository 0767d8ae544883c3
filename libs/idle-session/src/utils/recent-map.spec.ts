import { describe, expect, it } from '@jest/globals';
import { RecentMap } from './recent-map.js';

const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `key ${index}`);

function filled(max: number, keys: readonly string[]): RecentMap<string> {
  const map = new RecentMap<string>(max);
  for (const key of keys) map.set(key, `value of ${key}`);
  return map;
}

describe('RecentMap', () => {
  it.each([2, 3, 10, 11])('of %d values remembers at most that many', (max) => {
    const keys = keysOf(100);
    for (let count = 1; count <= keys.length; count++) {
      const map = filled(max, keys.slice(0, count));
      const { recent, older } = map as unknown as Record<string, Map<string, string>>;
      expect(recent!.size + older!.size).toBeLessThanOrEqual(max);
    }
  });

  it('remembers the last half of them', () => {
    const keys = keysOf(100);
    const map = filled(10, keys);
    for (const key of keys.slice(-5)) expect(map.get(key)).toBe(`value of ${key}`);
    expect(map.get(keys[0]!)).toBeUndefined();
  });

  it('keeps what is found again, however much else is set', () => {
    const map = filled(10, ['mine']);
    for (const key of keysOf(100)) {
      map.set(key, 'another');
      expect(map.get('mine')).toBe('value of mine');
    }
  });

  it('has the value that was set last, and none that was deleted, of either generation', () => {
    const map = filled(4, ['a', 'b', 'c']);
    map.set('a', 'new');
    expect(map.get('a')).toBe('new');
    map.delete('a');
    map.delete('c');
    expect([map.get('a'), map.get('c')]).toEqual([undefined, undefined]);
    map.clear();
    expect(map.get('b')).toBeUndefined();
  });
});
