import { describe, expect, it } from 'vitest';
import {
  DEFAULT_SORT,
  filterParams,
  isFiltered,
  readList,
  readPlot,
  toggleFacet,
  writeList,
  writePlot,
} from '@/lib/urlstate';

const list = (text: string) => readList(new URLSearchParams(text));

describe('a URL sent to a colleague shows the same list', () => {
  it('comes back as it went', () => {
    const text =
      'q=temperature%3E300+degC&technique=xrd&technique=raman&sample=LCO+12&after=2026-01-01&sort=title';
    expect(writeList(list(text)).toString()).toBe(text);
  });
  it('is empty for the plain list', () => {
    expect(writeList(list('')).toString()).toBe('');
    expect(isFiltered(list('sort=title'))).toBe(false);
  });
  it('ignores an unknown order, empty and repeated values', () => {
    const state = list('sort=-evil&technique=xrd&technique=xrd&technique=');
    expect(state.sort).toBe(DEFAULT_SORT);
    expect(state.facets).toEqual({ technique: ['xrd'] });
  });
  it('toggles a facet on and off', () => {
    const on = toggleFacet(list(''), 'technique', 'xrd');
    expect(filterParams(on)).toMatchObject({ technique: ['xrd'] });
    expect(toggleFacet(on, 'technique', 'xrd').facets).toEqual({});
  });
});

describe('a URL sent to a colleague shows the same plot', () => {
  it('comes back as it went and leaves foreign parameters alone', () => {
    const first = writePlot(new URLSearchParams('from=mail'), {
      entry: 'scan_1',
      log: true,
      range: [20.123456789, 40],
      over: ['a', 'b', 'a'],
      offset: 0.5,
      y: ['voltage', 'current'],
      x: 'time',
    });
    expect(first.get('from')).toBe('mail');
    const state = readPlot(first);
    expect(state).toEqual({
      entry: 'scan_1',
      log: true,
      range: [20.123457, 40],
      over: ['a', 'b'],
      offset: 0.5,
      y: ['voltage', 'current'],
      x: 'time',
      view: 'plot',
    });
    expect(
      writePlot(first, { log: false, range: null, over: [], offset: 0, y: [], x: '', entry: '' }).toString(),
    ).toBe('from=mail');
  });
  it('drops a range that is none', () => {
    for (const bad of ['40..20', 'a..b', '5', '1..NaN', '..']) {
      expect(readPlot(new URLSearchParams({ range: bad })).range).toBeNull();
    }
  });
});
