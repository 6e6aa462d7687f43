/** Arrays as the data endpoint sends them: base64 of little-endian numbers. */

import type { ArrayInfo } from '@/api/types';

export function decodeNumbers(info: ArrayInfo): Float64Array {
  const text = atob(info.data ?? '');
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  // A typed array is in the machine's byte order, which is little-endian wherever a browser runs.
  const numbers = new Float64Array(bytes.buffer);
  const expected = info.shape.reduce((a, b) => a * b, 1);
  if (numbers.length !== expected) {
    throw new Error(`${info.name}: ${numbers.length} numbers for a shape of ${info.shape.join(' × ')}`);
  }
  return numbers;
}

/** Where the points along an axis are: its numbers, or places counted from 0 where it holds words. */
export function decodePositions(info: ArrayInfo): Float64Array {
  return info.dtype === 'text'
    ? Float64Array.from({ length: info.shape[0] ?? 0 }, (_, k) => k)
    : decodeNumbers(info);
}

export function extent(values: ArrayLike<number>, positiveOnly = false): [number, number] | null {
  let lo = Number.POSITIVE_INFINITY;
  let hi = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const v = values[i] as number;
    if (!Number.isFinite(v) || (positiveOnly && v <= 0)) continue;
    if (v < lo) lo = v;
    if (v > hi) hi = v;
  }
  return lo <= hi ? [lo, hi] : null;
}

/** Index of the largest finite value, −1 if there is none. */
export function strongest(values: ArrayLike<number>): number {
  let best = -1;
  for (let i = 0; i < values.length; i++) {
    const v = values[i] as number;
    if (Number.isFinite(v) && (best < 0 || v > (values[best] as number))) best = i;
  }
  return best;
}
