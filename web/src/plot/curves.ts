/** What a plot of curves computes: ranges, offsets, the nearest point. No drawing here. */

import { extent } from '@/lib/arrays';

export interface Curve {
  key: string;
  label: string;
  x: ArrayLike<number>;
  y: ArrayLike<number>;
}

export interface Scales {
  x: [number, number];
  y: [number, number];
}

/** Shift curve number k up by `offset` × k × the height of the tallest (linear), or decades (log). */
export function shifted(curves: Curve[], offset: number, log: boolean): Curve[] {
  if (!offset || curves.length < 2) return curves;
  let height = 0;
  for (const curve of curves) {
    const range = extent(curve.y);
    if (range) height = Math.max(height, range[1] - range[0]);
  }
  return curves.map((curve, k) => {
    if (k === 0) return curve;
    const y = Float64Array.from({ length: curve.y.length }, (_, i) => {
      const v = curve.y[i] as number;
      return log ? v * 10 ** (2 * offset * k) : v + offset * k * height;
    });
    return { ...curve, y };
  });
}

const padded = ([lo, hi]: [number, number], share: number): [number, number] => {
  if (lo === hi) return lo === 0 ? [-1, 1] : [lo - Math.abs(lo) * 0.1, hi + Math.abs(hi) * 0.1];
  return [lo - (hi - lo) * share, hi + (hi - lo) * share];
};

/** The window to draw: x as asked or all, y what lies within it. A zero baseline is kept near. */
export function windowOf(curves: Curve[], log: boolean, range: [number, number] | null): Scales {
  let x: [number, number] | null = range;
  if (!x) {
    for (const curve of curves) {
      const own = extent(curve.x);
      if (own) x = x ? [Math.min(x[0], own[0]), Math.max(x[1], own[1])] : own;
    }
    x = x ? (x[0] === x[1] ? padded(x, 0) : x) : [0, 1];
  }
  let lo = Number.POSITIVE_INFINITY;
  let hi = Number.NEGATIVE_INFINITY;
  for (const curve of curves) {
    for (let i = 0; i < curve.y.length; i++) {
      const px = curve.x[i] as number;
      const py = curve.y[i] as number;
      if (px < x[0] || px > x[1] || !Number.isFinite(py) || (log && py <= 0)) continue;
      if (py < lo) lo = py;
      if (py > hi) hi = py;
    }
  }
  if (lo > hi) return { x, y: log ? [0.1, 10] : [0, 1] };
  if (log) return { x, y: [lo / 1.3, hi === lo ? hi * 10 : hi * 1.3] };
  const [a, b] = padded([lo, hi], 0.05);
  return { x, y: [lo >= 0 && lo < (hi - lo) * 0.05 ? Math.min(0, lo) : a, b] };
}

export interface Hit {
  curve: number;
  index: number;
}

/**
 * The point to read out at the pointer. For curves that go one way, the closest in x of the curve that is
 * closest in y; for loops, the closest on the screen. `toX`, `toY` give pixels.
 */
export function nearest(
  curves: Curve[],
  at: { x: number; y: number },
  toX: (v: number) => number,
  toY: (v: number) => number,
): Hit | null {
  let best: Hit | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  curves.forEach((curve, c) => {
    for (let i = 0; i < curve.x.length; i++) {
      const py = toY(curve.y[i] as number);
      if (!Number.isFinite(py)) continue;
      const dx = toX(curve.x[i] as number) - at.x;
      if (Math.abs(dx) > 40 && curve.x.length > 20) continue;
      const dy = py - at.y;
      // Along x counts more, so that the read-out follows the pointer over a steep peak.
      const distance = dx * dx * 9 + dy * dy;
      if (distance < bestDistance) {
        bestDistance = distance;
        best = { curve: c, index: i };
      }
    }
  });
  return best;
}

/** Round steps for a scale's ticks: 1, 2, 2.5 or 5 times a power of ten. */
export function linearTicks([lo, hi]: [number, number], about: number): { values: number[]; step: number } {
  const raw = (hi - lo) / Math.max(1, about);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 2.5, 5, 10].find((m) => m * power >= raw * 0.999) ?? 10) * power;
  const values: number[] = [];
  for (let k = Math.ceil(lo / step - 1e-9); k * step <= hi + step * 1e-9; k++) values.push(k * step);
  return { values, step };
}

/** Ticks of a logarithmic scale; those with text are powers of ten, or 1, 2, 5 where there are few of them. */
export function logTicks([lo, hi]: [number, number]): { values: number[]; named: Set<number> } {
  const [first, last] = [Math.floor(Math.log10(lo)), Math.ceil(Math.log10(hi))];
  const values: number[] = [];
  const named = new Set<number>();
  const digits = Math.log10(hi / lo) > 2 ? [1] : [1, 2, 5];
  for (let e = first; e <= last; e++) {
    for (let digit = 1; digit < 10; digit++) {
      const v = Number(`${digit}e${e}`);
      if (v < lo || v > hi) continue;
      values.push(v);
      if (digits.includes(digit)) named.add(v);
    }
  }
  return named.size >= 2
    ? { values, named }
    : { values: linearTicks([lo, hi], 4).values, named: new Set(linearTicks([lo, hi], 4).values) };
}
