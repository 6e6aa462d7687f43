/** What a page shows lives in its URL, so that it can be sent to a colleague. Pure functions both ways. */

import type { Params } from '@/api/client';

export const FACETS = ['technique', 'instrument', 'project', 'sample', 'state', 'operator'] as const;
export type FacetKey = (typeof FACETS)[number];

export const SORTS = ['received_at', 'measured_at', 'title', 'sample', 'technique', 'instrument'] as const;
export type SortKey = (typeof SORTS)[number];

export interface ListState {
  q: string;
  facets: Partial<Record<FacetKey, string[]>>;
  after: string;
  before: string;
  sort: `${'' | '-'}${SortKey}`;
}

export const DEFAULT_SORT = '-received_at';

export function readList(search: URLSearchParams): ListState {
  const facets: ListState['facets'] = {};
  for (const key of FACETS) {
    const values = [...new Set(search.getAll(key).filter(Boolean))];
    if (values.length) facets[key] = values;
  }
  const sort = search.get('sort') ?? DEFAULT_SORT;
  return {
    q: search.get('q') ?? '',
    facets,
    after: search.get('after') ?? '',
    before: search.get('before') ?? '',
    sort: (SORTS as readonly string[]).includes(sort.replace(/^-/, ''))
      ? (sort as ListState['sort'])
      : DEFAULT_SORT,
  };
}

/** The shortest query string that reads back as the state; same state, same string. */
export function writeList(state: ListState): URLSearchParams {
  const search = new URLSearchParams();
  if (state.q.trim()) search.set('q', state.q.trim());
  for (const key of FACETS) for (const value of state.facets[key] ?? []) search.append(key, value);
  if (state.after) search.set('after', state.after);
  if (state.before) search.set('before', state.before);
  if (state.sort !== DEFAULT_SORT) search.set('sort', state.sort);
  return search;
}

/** The filters as the API's query parameters, without order. */
export function filterParams(state: ListState): Params {
  return { q: state.q.trim(), ...state.facets, after: state.after, before: state.before };
}

export function toggleFacet(state: ListState, key: FacetKey, value: string): ListState {
  const old = state.facets[key] ?? [];
  const values = old.includes(value) ? old.filter((v) => v !== value) : [...old, value];
  const { [key]: _, ...rest } = state.facets;
  return { ...state, facets: values.length ? { ...rest, [key]: values } : rest };
}

export function isFiltered(state: ListState): boolean {
  return Boolean(state.q.trim() || state.after || state.before || Object.keys(state.facets).length);
}

/** How a plot is shown. `over` are uids of measurements laid over this one. */
export interface PlotState {
  entry: string;
  x: string;
  y: string[];
  log: boolean;
  range: [number, number] | null;
  over: string[];
  offset: number;
  view: 'plot' | 'table';
}

export function readPlot(search: URLSearchParams): PlotState {
  const [lo, hi] = (search.get('range') ?? '').split('..').map(Number);
  const list = (key: string) => (search.get(key) ?? '').split(',').filter(Boolean);
  const offset = Number(search.get('offset') ?? 0);
  const valid = lo !== undefined && hi !== undefined && Number.isFinite(lo) && Number.isFinite(hi) && lo < hi;
  return {
    entry: search.get('entry') ?? '',
    x: search.get('x') ?? '',
    y: list('y'),
    log: search.get('scale') === 'log',
    range: valid ? [lo, hi] : null,
    over: [...new Set(list('over'))],
    offset: Number.isFinite(offset) ? Math.max(-2, Math.min(2, offset)) : 0,
    view: search.get('view') === 'table' ? 'table' : 'plot',
  };
}

export function writePlot(search: URLSearchParams, change: Partial<PlotState>): URLSearchParams {
  const state = { ...readPlot(search), ...change };
  const next = new URLSearchParams(search);
  const put = (key: string, value: string) => (value ? next.set(key, value) : next.delete(key));
  put('entry', state.entry);
  put('x', state.x);
  put('y', state.y.join(','));
  put('scale', state.log ? 'log' : '');
  put('range', state.range ? state.range.map((v) => Number(v.toPrecision(8))).join('..') : '');
  put('over', state.over.join(','));
  put('offset', state.offset ? String(state.offset) : '');
  put('view', state.view === 'table' ? 'table' : '');
  return next;
}
