import { describe, expect, it } from 'vitest';
import { flatten, matches } from '@/lib/flatten';

describe('metadata is shown line by line, nothing dropped', () => {
  it('keeps order, nests by path and joins plain lists', () => {
    expect(flatten({ b: 1, a: { 'x y': [1, null, 'z'] }, c: [{ d: true }, { d: false }], e: {} })).toEqual([
      { path: 'b', value: '1' },
      { path: 'a / x y', value: '1, –, z' },
      { path: 'c[0] / d', value: 'true' },
      { path: 'c[1] / d', value: 'false' },
    ]);
  });
  it('finds by words of path and value', () => {
    const line = { path: 'Source / Anode', value: 'Cu' };
    expect(matches(line, 'cu anode')).toBe(true);
    expect(matches(line, 'co')).toBe(false);
    expect(matches(line, '')).toBe(true);
  });
});
