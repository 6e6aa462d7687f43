import { describe, expect, it } from 'vitest';
import type { EntryInfo, SignalInfo } from '@/api/types';
import { choose, matching, twoUnits } from '@/plot/choices';

const signal = (name: string, unit: string, axes: string[], dtype = 'f'): SignalInfo => ({
  name,
  unit,
  label: name,
  dtype,
  shape: axes.map(() => 5),
  axes,
  reversed: false,
  min: 0,
  max: 1,
});
const axis = (name: string, unit: string, reversed = false) => ({
  name,
  unit,
  label: name,
  size: 5,
  reversed,
  first: 0,
  last: 1,
});
const entry = (over: Partial<EntryInfo>): EntryInfo => ({
  name: 'e',
  title: '',
  technique: 'xrd',
  is_table: false,
  x: '',
  default: 'intensity',
  started: null,
  axes: [],
  signals: [],
  conditions: [],
  ...over,
});

const scan = entry({
  axes: [axis('two_theta', 'deg')],
  signals: [signal('intensity', 'counts', ['two_theta'])],
});
const cycler = entry({
  is_table: true,
  x: 'time',
  default: 'voltage',
  axes: [axis('row', '')],
  signals: [
    signal('time', 's', ['row']),
    signal('voltage', 'V', ['row']),
    signal('current', 'mA', ['row']),
    signal('capacity', 'mAh', ['row']),
    signal('step_type', '', ['row'], 'U'),
    signal('timestamp', '', ['row'], 'M'),
  ],
});
const map = entry({
  axes: [axis('y', 'um'), axis('x', 'um'), axis('raman_shift', '1/cm')],
  signals: [signal('intensity', 'counts', ['y', 'x', 'raman_shift'])],
});

const stack = entry({
  technique: 'tem',
  axes: [axis('frame', ''), axis('y', 'nm'), axis('x', 'nm')],
  signals: [signal('intensity', 'counts', ['frame', 'y', 'x'])],
});

describe('images', () => {
  it('draws a stack of images as an image, with a curve through the stack', () => {
    const choice = choose(stack, '', []);
    expect(choice.kind === 'map' && choice.image.map((a) => a.name)).toEqual(['y', 'x']);
    expect(choice.kind === 'map' && choice.spectrum.name).toBe('frame');
  });
  it('draws complex numbers, of which the server sends the real part', () => {
    const fid = entry({ axes: [axis('time', 's')], signals: [signal('intensity', '', ['time'], 'c')] });
    expect(choose(fid, '', []).kind).toBe('curve');
  });
});

describe('the first plot of an entry is the one its reader meant', () => {
  it('draws a scan over its axis', () => {
    expect(choose(scan, '', [])).toMatchObject({
      kind: 'curve',
      x: { name: 'two_theta' },
      ys: [{ name: 'intensity' }],
    });
  });
  it('draws a table along its x, offers numbers as y and times as x only', () => {
    const choice = choose(cycler, '', []);
    expect(choice).toMatchObject({ kind: 'curve', x: { name: 'time' }, ys: [{ name: 'voltage' }] });
    if (choice.kind !== 'curve') throw new Error();
    expect(choice.candidates.map((q) => q.name)).toEqual(['voltage', 'current', 'capacity']);
    expect(choice.xs.map((q) => q.name)).toContain('timestamp');
    expect(choice.xs.map((q) => q.name)).not.toContain('step_type');
  });
  it('follows the URL where it names columns that are there, and ignores others', () => {
    expect(choose(cycler, 'capacity', ['voltage', 'nonsense'])).toMatchObject({
      x: { name: 'capacity' },
      ys: [{ name: 'voltage' }],
    });
    expect(choose(cycler, 'nonsense', [])).toMatchObject({ x: { name: 'time' } });
  });
  it('draws a map as the average over its spectra', () => {
    expect(choose(map, '', [])).toMatchObject({
      kind: 'map',
      mean: 'raman_shift',
      spectrum: { name: 'raman_shift' },
    });
  });
  it('says so where there is nothing to draw', () => {
    expect(choose(entry({ signals: [signal('name', '', ['row'], 'U')] }), '', []).kind).toBe('none');
    expect(choose(entry({ signals: [signal('z', '', [])] }), '', []).kind).toBe('none');
  });
  it('keeps two units, the latest asked for', () => {
    const q = (name: string, unit: string) => ({ name, unit, label: name, time: false, reversed: false });
    expect(twoUnits([q('a', 'V'), q('b', 'mA'), q('c', 'mAh')]).map((x) => x.name)).toEqual(['b', 'c']);
  });
});

describe('overlays compare like with like', () => {
  const choice = choose(scan, '', []);
  if (choice.kind !== 'curve') throw new Error();
  it('finds the entry with the same axes and units', () => {
    expect(matching([cycler, { ...scan, name: 'other' }], 'e', choice)?.name).toBe('other');
  });
  it('does not lay radians over degrees', () => {
    expect(matching([entry({ ...scan, axes: [axis('two_theta', 'rad')] })], 'e', choice)).toBeNull();
    expect(matching([cycler], 'e', choice)).toBeNull();
  });
});
