import { describe, expect, it } from 'vitest';
import {
  axisLabel,
  formatBytes,
  formatNumber,
  formatQuantity,
  formatRange,
  formatTick,
  parseNumber,
  prettyUnit,
} from '@/lib/numbers';

describe('numbers are written so that nobody misreads them', () => {
  it.each([
    [0, '0'],
    [28.4412, '28.441'],
    [0.0012, '0.0012'],
    [0.00012, '1.2 × 10⁻⁴'],
    [1234567, '1\u202f234\u202f567'],
    [12345.678, '12\u202f346'],
    [6.02e23, '6.02 × 10²³'],
    [-1e-7, '−10⁻⁷'.replace('−10⁻⁷', '−1 × 10⁻⁷')],
    [1000, '1000'],
    [-5.5, '−5.5'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '−∞'],
    [1e6, '1\u202f000\u202f000'],
    [100, '100'],
    [1200.5, '1200.5'],
  ])('%s → %s', (value, text) => expect(formatNumber(value)).toBe(text));

  it('gives a tick the decimals of its step', () => {
    expect(formatTick(0.30000000000000004, 0.1)).toBe('0.3');
    expect(formatTick(20, 0.5)).toBe('20.0');
    expect([0.25, 0.5, 0.75].map((v) => formatTick(v, 0.25))).toEqual(['0.25', '0.50', '0.75']);
    expect([2.5, 5, 7.5].map((v) => formatTick(v, 2.5))).toEqual(['2.5', '5.0', '7.5']);
    expect(formatTick(0.6000000000000001, 0.2)).toBe('0.6');
    expect(formatTick(25000, 25000)).toBe('25\u202f000');
    expect(formatTick(40000, 10000)).toBe('40\u202f000');
  });

  it.each([
    ['1/cm', 'cm⁻¹'],
    ['mm**3', 'mm³'],
    ['ohm*cm', 'Ω·cm'],
    ['K/min', 'K/min'],
    ['degC', '°C'],
    ['uV/mg', 'µV/mg'],
    ['angstrom', 'Å'],
    ['', ''],
    ['furlong', 'furlong'],
  ])('unit %s → %s', (unit, text) => expect(prettyUnit(unit)).toBe(text));

  it('puts the unit where the field puts it', () => {
    expect(formatQuantity(45, 'kV')).toBe('45\u00a0kV');
    expect(formatQuantity(28.44, 'deg')).toBe('28.44°');
    expect(formatQuantity(300, 'K', 0.5)).toBe('300 ± 0.5\u00a0K');
    expect(formatQuantity('Cu', null)).toBe('Cu');
    expect(axisLabel('2θ', 'deg')).toBe('2θ (°)');
    expect(axisLabel('2θ (deg)', 'deg')).toBe('2θ (°)');
    expect(axisLabel('Intensity', '')).toBe('Intensity');
  });

  it('tells the ends of a range apart', () => {
    expect(formatRange(1.5405, 1.5406)).toBe('1.54–1.541');
    expect(formatRange(3, 125)).toBe('3–125');
    expect(formatRange(5, 5)).toBe('5');
  });

  it('reads numbers with a comma, spaces and powers; refuses what is none', () => {
    expect(parseNumber('1,5')).toBe(1.5);
    expect(parseNumber(' 12 000 ')).toBe(12000);
    expect(parseNumber('−2.5e-3')).toBe(-0.0025);
    expect(parseNumber('3×10^4')).toBe(30000);
    for (const bad of ['', 'abc', '1,2,3', '1.2.3', '--1', 'e5']) expect(parseNumber(bad)).toBeNull();
  });

  it('sizes', () => {
    expect(formatBytes(0)).toBe('0\u00a0B');
    expect(formatBytes(1234)).toBe('1.2\u00a0kB');
    expect(formatBytes(999_600)).toBe('1.0\u00a0MB');
  });
});
