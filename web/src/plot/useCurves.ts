import { useQueries, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { dataQuery } from '@/api/queries';
import type { EntryData } from '@/api/types';
import { decodeNumbers } from '@/lib/arrays';
import type { Choice, MapChoice } from '@/plot/choices';
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

/** The image of a map and the positions along its two axes. */
export function useMapImage(uid: string, entry: string, choice: MapChoice) {
  const image = useQuery(dataQuery(uid, entry, { names: choice.signal.name, mean: choice.mean ?? '' }));
  const names = choice.image.map((a) => a.name).join(',');
  const axes = useQuery(dataQuery(uid, entry, { names, points: 200_000 }));
  return { image, axes };
}

/** The spectrum behind a pixel; of a two-dimensional signal, the pixel's row. */
export function useSpectrum(uid: string, entry: string, choice: MapChoice, pixel: [number, number] | null) {
  const fixed = choice.mean ? choice.image : choice.image.slice(0, 1);
  return useQuery({
    ...dataQuery(uid, entry, {
      names: `${choice.spectrum.name},${choice.signal.name}`,
      slice: fixed.map((a, k) => `${a.name}:${pixel?.[k] ?? 0}`).join(','),
      points: POINTS,
    }),
    enabled: pixel !== null,
    placeholderData: (old) => old,
  });
}
