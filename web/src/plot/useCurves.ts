import { useQueries, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { dataQuery } from '@/api/queries';
import type { EntryData } from '@/api/types';
import { decodeNumbers } from '@/lib/arrays';
import type { Choice } from '@/plot/choices';
import type { Curve } from '@/plot/curves';

/** More than twice the pixels across a wide screen: thinning by least and largest shows nothing less. */
const POINTS = 4000;

export interface Wanted {
  uid: string;
  entry: string;
  title: string;
  choice: Choice;
}

export interface Fetched extends Curve {
  uid: string;
  y_name: string;
}

/** The curves of some measurements; where the server thinned them, the zoomed part again in full. */
export function useCurves(wanted: Wanted[], range: [number, number] | null) {
  const curves = wanted.filter((w) => w.choice.kind === 'curve');
  const names = (w: Wanted) =>
    w.choice.kind === 'curve' ? [w.choice.x.name, ...w.choice.ys.map((q) => q.name)].join(',') : '';
  const whole = useQueries({
    queries: curves.map((w) => dataQuery(w.uid, w.entry, { names: names(w), points: POINTS })),
  });
  const zoomed = useQueries({
    queries: curves.map((w, k) => ({
      ...dataQuery(w.uid, w.entry, { names: names(w), points: POINTS, range: range ? range.join(',') : '' }),
      enabled: Boolean(range && whole[k]?.data?.decimated),
    })),
  });
  const answers = curves.map((_, k) => (range && zoomed[k]?.data) || whole[k]?.data);
  const stamp =
    answers.map((a) => (a ? ids.of(a) : 0)).join() +
    curves.map((w) => `${w.uid}/${w.entry}/${w.title}`).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamp changes with what the answers are
  const fetched = useMemo(
    () => curves.flatMap((w, k) => toCurves(w, answers[k], curves.length > 1)),
    [stamp],
  );
  return {
    curves: fetched,
    pending: whole.some((q) => q.isPending),
    error: whole.find((q) => q.error && !q.data)?.error ?? null,
    thinned: answers.some((a) => a?.decimated),
    points: answers.reduce((sum, a) => sum + (a?.total_points ?? 0), 0),
  };
}

function toCurves(w: Wanted, answer: EntryData | undefined, several: boolean): Fetched[] {
  if (!answer || w.choice.kind !== 'curve') return [];
  const find = (name: string) => answer.arrays.find((a) => a.name === name);
  const x = find(w.choice.x.name);
  if (!x) return [];
  const xs = decodeNumbers(x);
  return w.choice.ys.flatMap((q) => {
    const y = find(q.name);
    if (!y || y.dtype === 'text') return [];
    const label = several ? w.title : q.label;
    return [
      { key: `${w.uid}/${w.entry}/${q.name}`, uid: w.uid, y_name: q.name, label, x: xs, y: decodeNumbers(y) },
    ];
  });
}

/** A number for each answer, so that a list of answers can be compared by a text. */
const ids = {
  known: new WeakMap<EntryData, number>(),
  next: 1,
  of(answer: EntryData): number {
    let id = this.known.get(answer);
    if (!id) {
      id = this.next++;
      this.known.set(answer, id);
    }
    return id;
  },
};

/** An image of a map, or the spectrum of one of its pixels. */
export function useMapData(uid: string, entry: string, choice: Choice, pixel: [number, number] | null) {
  const map = choice.kind === 'map' ? choice : null;
  const image = useQuery({
    ...dataQuery(uid, entry, { names: map?.signal.name ?? '', mean: map?.mean ?? '' }),
    enabled: map !== null,
  });
  const axes = useQuery({
    ...dataQuery(uid, entry, { names: map ? map.image.map((a) => a.name).join(',') : '', points: 200_000 }),
    enabled: map !== null,
  });
  const at =
    map && pixel
      ? map.mean
        ? map.image.map((a, k) => `${a.name}:${pixel[k]}`).join(',')
        : `${map.image[0].name}:${pixel[0]}`
      : '';
  const spectrum = useQuery({
    ...dataQuery(uid, entry, {
      names: map ? `${map.spectrum.name},${map.signal.name}` : '',
      slice: at,
      points: POINTS,
    }),
    enabled: at !== '',
    placeholderData: (old) => old,
  });
  return { image, axes, spectrum };
}
