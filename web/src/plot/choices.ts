/** What of an entry can be drawn, and how: as curves over x, or as an image of a map. */

import type { AxisInfo, EntryInfo, SignalInfo } from '@/api/types';

export interface Quantity {
  name: string;
  label: string;
  unit: string | null;
  time: boolean;
  reversed: boolean;
}

export interface CurveChoice {
  kind: 'curve';
  x: Quantity;
  ys: Quantity[];
  xs: Quantity[];
  candidates: Quantity[];
}

export interface MapChoice {
  kind: 'map';
  signal: SignalInfo;
  signals: SignalInfo[];
  /** Axes of the image, slow (down) then fast (across). */
  image: [AxisInfo, AxisInfo];
  /** The axis of the spectrum behind a pixel. */
  spectrum: AxisInfo;
  /** Averaged away for the image; null where the signal is an image already. */
  mean: string | null;
}

export type Choice = CurveChoice | MapChoice | { kind: 'none' };

/** Of complex numbers the server sends the real part. */
const NUMERIC = new Set(['f', 'i', 'u', 'b', 'c']);
const kind = (dtype: string) => dtype.replace(/^[<>|=]/, '').charAt(0);

const fromSignal = (s: SignalInfo): Quantity => ({
  name: s.name,
  label: s.label,
  unit: s.unit,
  time: kind(s.dtype) === 'M',
  reversed: s.reversed,
});
const fromAxis = (a: AxisInfo): Quantity => ({
  name: a.name,
  label: a.label,
  unit: a.unit,
  time: false,
  reversed: a.reversed,
});

export function choose(entry: EntryInfo, wantedX: string, wantedY: string[]): Choice {
  const signals = entry.signals.filter((s) => NUMERIC.has(kind(s.dtype)));
  const wanted = signals.find((s) => s.name === wantedY[0]);
  const main = wanted ?? signals.find((s) => s.name === entry.default) ?? signals[0];
  if (!main) return { kind: 'none' };
  if (main.axes.length === 2 || main.axes.length === 3) return chooseMap(entry, main, signals);
  if (main.axes.length !== 1) return { kind: 'none' };

  const same = signals.filter((s) => s.axes.length === 1 && s.axes[0] === main.axes[0]);
  const axis = entry.axes.find((a) => a.name === main.axes[0]);
  const times = entry.signals.filter((s) => kind(s.dtype) === 'M' && s.axes[0] === main.axes[0]);
  const xs = [
    ...(axis && !entry.is_table ? [fromAxis(axis)] : []),
    ...(entry.is_table ? [...same, ...times].map(fromSignal) : []),
  ];
  const x = xs.find((q) => q.name === wantedX) ?? xs.find((q) => q.name === entry.x) ?? xs[0];
  if (!x) return { kind: 'none' };
  const candidates = same.filter((s) => s.name !== x.name || same.length === 1).map(fromSignal);
  const named = wantedY.map((name) => candidates.find((q) => q.name === name)).filter((q) => q !== undefined);
  const first = candidates.find((q) => q.name === main.name) ?? candidates[0];
  const ys = twoUnits(named.length ? named : first ? [first] : []);
  return ys.length ? { kind: 'curve', x, ys, xs, candidates } : { kind: 'none' };
}

function chooseMap(entry: EntryInfo, signal: SignalInfo, signals: SignalInfo[]): Choice {
  const axes = signal.axes.map((name) => entry.axes.find((a) => a.name === name));
  // A stack of images is drawn as their mean; the curve goes through the stack.
  const stack = axes.length === 3 && /y$/.test(axes[1]?.name ?? '') && /x$/.test(axes[2]?.name ?? '');
  const [a, b, c] = stack ? [axes[1], axes[2], axes[0]] : axes;
  if (!a || !b || axes.includes(undefined)) return { kind: 'none' };
  return {
    kind: 'map',
    signal,
    signals: signals.filter((s) => s.axes.length >= 2 && s.axes.length <= 3),
    image: [a, b],
    spectrum: c ?? b,
    mean: c ? c.name : null,
  };
}

/** A plot has a left and a right scale: the latest two units asked for stay. */
export function twoUnits(ys: Quantity[]): Quantity[] {
  const units = [...new Set(ys.map((q) => q.unit ?? ''))].slice(-2);
  return ys.filter((q) => units.includes(q.unit ?? ''));
}

/** The entry of another measurement that can be laid over: the same x and y in the same units. */
export function matching(entries: EntryInfo[], preferred: string, choice: CurveChoice): EntryInfo | null {
  const fits = (entry: EntryInfo) => {
    const other = choose(
      entry,
      choice.x.name,
      choice.ys.map((q) => q.name),
    );
    if (other.kind !== 'curve' || other.x.name !== choice.x.name || other.x.unit !== choice.x.unit)
      return false;
    return other.ys.some((q) => q.name === choice.ys[0]?.name && q.unit === choice.ys[0]?.unit);
  };
  const sorted = [...entries].sort((p, q) => Number(q.name === preferred) - Number(p.name === preferred));
  return sorted.find(fits) ?? null;
}
