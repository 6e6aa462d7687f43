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

/**
 * As many even places over the stretch of uneven ones as show the narrowest step, at most `most`, and which of the
 * uneven ones is nearest to each. Null where they are even enough for a picture, or turn back.
 */
export function evenPlaces(
  uneven: readonly number[],
  most = 1024,
): { places: number[]; nearest: number[] } | null {
  const first = uneven[0] ?? 0;
  const last = uneven.at(-1) ?? 0;
  const mean = (last - first) / (uneven.length - 1);
  if (uneven.length < 3 || !Number.isFinite(mean) || mean === 0) return null;
  const steps = uneven.slice(1).map((value, k) => (value - (uneven[k] as number)) / mean);
  if (steps.some((step) => !(step > 0))) return null;
  if (uneven.every((value, k) => Math.abs((value - first) / mean - k) <= 0.25)) return null;
  const wanted = Math.ceil((uneven.length - 1) / Math.min(...steps)) + 1;
  const count = Math.min(most, Math.max(uneven.length, wanted));
  const places = Array.from({ length: count }, (_, k) => first + ((last - first) * k) / (count - 1));
  let at = 0;
  const nearest = places.map((place) => {
    const off = (k: number) => Math.abs((uneven[k] as number) - place);
    while (at + 1 < uneven.length && off(at + 1) <= off(at)) at += 1;
    return at;
  });
  return { places, nearest };
}
