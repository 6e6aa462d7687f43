import { describe, expect, it } from 'vitest';
import { decodeNumbers, extent, strongest } from '@/lib/arrays';
import { linearTicks, nearest, shifted, windowOf } from '@/plot/curves';
import { plotSvg } from '@/plot/svg';

const base64 = (values: number[]) => Buffer.from(new Float64Array(values).buffer).toString('base64');
const curve = (x: number[], y: number[], label = 'a') => ({ key: label, label, x, y });

describe('arrays arrive as they were sent', () => {
  const info = { name: 'y', unit: null, label: 'y', dtype: '<f8' as const, shape: [3] };
  it('decodes bits exactly', () =>
    expect([...decodeNumbers({ ...info, data: base64([1.1, -0, 1e300]) })]).toEqual([1.1, -0, 1e300]));
  it('refuses a short array instead of drawing it', () => {
    expect(() => decodeNumbers({ ...info, data: base64([1, 2]) })).toThrow(/2 numbers for a shape of 3/);
  });
  it('finds extent and strongest past NaN', () => {
    expect(extent([Number.NaN, 3, -1])).toEqual([-1, 3]);
    expect(extent([-1, 0, 5], true)).toEqual([5, 5]);
    expect(extent([Number.NaN])).toBeNull();
    expect(strongest([Number.NaN, 1, 7, 3])).toBe(2);
    expect(strongest([])).toBe(-1);
  });
});

describe('the window shows what is there', () => {
  it('fits y to the points within the zoomed x', () => {
    const { x, y } = windowOf([curve([0, 1, 2, 3], [1000, 5, 7, 900])], false, [0.5, 2.5]);
    expect(x).toEqual([0.5, 2.5]);
    expect(y[0]).toBeLessThan(5);
    expect(y[1]).toBeGreaterThan(7);
    expect(y[1]).toBeLessThan(10);
  });
  it('never asks a logarithmic scale for zero or less', () => {
    expect(windowOf([curve([0, 1, 2], [-5, 0, 100])], true, null).y[0]).toBeGreaterThan(0);
    expect(windowOf([curve([0], [0])], true, null).y[0]).toBeGreaterThan(0);
  });
  it('has height and width for a single constant point', () => {
    const { x, y } = windowOf([curve([5], [0])], false, null);
    expect(x[1]).toBeGreaterThan(x[0]);
    expect(y[1]).toBeGreaterThan(y[0]);
  });
  it('offsets overlays one above the other, and a factor on a log scale', () => {
    const two = [curve([0, 1], [0, 10]), curve([0, 1], [0, 4], 'b')];
    expect(shifted(two, 1, false).map((c) => [...Array.from(c.y)])).toEqual([
      [0, 10],
      [10, 14],
    ]);
    expect(shifted(two, 0.5, true).map((c) => c.y[1])).toEqual([10, 40]);
  });
  it('reads out the point of the loop branch under the pointer', () => {
    const loop = curve([0, 1, 2, 1, 0], [0, 0, 5, 10, 10]);
    const hit = nearest(
      [loop],
      { x: 101, y: 990 },
      (v) => v * 100,
      (v) => v * 100,
    );
    expect(hit).toEqual({ curve: 0, index: 3 });
  });
  it('ticks are round', () => expect(linearTicks([3, 97], 5).values).toEqual([20, 40, 60, 80]));
});

describe('the exported SVG', () => {
  const plot = {
    title: 'A <b> & "c"',
    xLabel: '2θ (°)',
    yLabel: 'I',
    curves: [curve([0, 1, 2, 3], [1, 0, 3, 4])],
    colours: ['#123456'],
    scales: { x: [0, 3] as [number, number], y: [0, 4] as [number, number] },
    log: false,
    reversed: { x: false, y: false },
  };
  it('escapes text and draws every point', () => {
    const svg = plotSvg(plot);
    expect(svg).toContain('A &lt;b&gt; &amp; &quot;c&quot;');
    expect(/clip-path[^>]* d="([^"]*)"/.exec(svg)?.[1]?.match(/[ML]/g)).toHaveLength(4);
  });
  it('runs from high to low where the field does', () => {
    const first = (x: boolean, y: boolean) =>
      /clip-path[^>]* d="M([\d.]+) ([\d.]+)/
        .exec(plotSvg({ ...plot, reversed: { x, y } }))
        ?.slice(1)
        .map(Number) as [number, number];
    expect(first(true, false)[0]).toBeGreaterThan(first(false, false)[0]);
    expect(first(false, true)[1]).toBeLessThan(first(false, false)[1]);
  });
  it('breaks the line where a logarithmic scale has no place for a point', () => {
    expect(
      plotSvg({ ...plot, log: true, scales: { ...plot.scales, y: [0.5, 5] } })
        .match(/d="(M[^"]*L[^"]*)"/)?.[1]
        ?.match(/M/g),
    ).toHaveLength(2);
  });
});
