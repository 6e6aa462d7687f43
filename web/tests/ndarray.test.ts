import { describe, expect, it } from 'vitest';
import ndarray from '@/plot/ndarray';

const counted = () =>
  ndarray(
    Float64Array.from({ length: 24 }, (_, k) => k),
    [2, 3, 4],
  );

describe('an image shows each number in its place', () => {
  it('runs slowest axis first', () => {
    const a = counted();
    expect([a.get(0, 0, 0), a.get(1, 2, 3), a.get(1, 0, 2)]).toEqual([0, 23, 14]);
    expect([a.size, a.dimension, a.dtype, a.order]).toEqual([24, 3, 'float64', [2, 1, 0]]);
  });
  it('picks, cuts, turns and steps without copying', () => {
    const a = counted();
    expect(a.pick(1, null, 2).shape).toEqual([3]);
    expect(a.pick(1, null, 2).get(1)).toBe(18);
    expect(a.transpose(2, 0, 1).get(3, 1, 2)).toBe(23);
    expect([a.lo(1, 1).hi(1, 2).shape, a.lo(1, 1).get(0, 0, 0)]).toEqual([[1, 2, 4], 16]);
    expect([0, 1].map((k) => a.step(1, -2).get(0, k, 0))).toEqual([8, 0]);
    a.set(0, 1, 1, 99);
    expect(a.pick(0).get(1, 1)).toBe(99);
  });
});
