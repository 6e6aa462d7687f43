import { describe, expect, it } from 'vitest';
import { complete, rangeOf, removeToken, setRange, tokenAt, tokens } from '@/lib/tokens';

const texts = (q: string) => tokens(q).map((t) => t.text);

describe('the search box knows its tokens', () => {
  it('splits words, phrases, fields and ranges with units', () => {
    expect(
      texts('LiCoO2 "cold pressed" technique:xrd temperature > 300 degC name=10..20 mA after:2026-01'),
    ).toEqual([
      'LiCoO2',
      '"cold pressed"',
      'technique:xrd',
      'temperature > 300 degC',
      'name=10..20 mA',
      'after:2026-01',
    ]);
  });
  it('keeps a unit glued to its number', () =>
    expect(texts('voltage<=5kV anode')).toEqual(['voltage<=5kV anode'.split(' ')[0], 'anode']));
  it('does not take the next field for a unit', () => {
    expect(texts('temperature>300 sample:LCO')).toEqual(['temperature>300', 'sample:LCO']);
  });
  it('survives half-typed text', () => {
    for (const q of ['"open', 'a:', 'x>', '>', '::', 'x>"', '日本 温度'])
      expect(
        tokens(q)
          .map((t) => t.text)
          .join(''),
      ).toBeTruthy();
  });
  it('removes one token and leaves the others as typed', () => {
    const q = 'a technique:xrd "b c"';
    const [, field] = tokens(q);
    expect(field && removeToken(q, field)).toBe('a "b c"');
  });
  it('a slider writes its range once, and takes it out again', () => {
    const once = setRange('LCO', 'temperature', { from: 300, to: 500.12345678, unit: 'degC' });
    expect(once).toBe('LCO temperature=300..500.123 degC');
    expect(rangeOf(once, 'temperature')).toEqual([300, 500.123]);
    const again = setRange(once, 'temperature', { from: -10, to: -5, unit: 'degC' });
    expect(again).toBe('LCO temperature=-10..-5 degC');
    expect(rangeOf(again, 'temperature')).toEqual([-10, -5]);
    expect(setRange(again, 'temperature', null)).toBe('LCO');
  });
  it('completes what is typed at the caret only', () => {
    expect(tokenAt('LCO tech', 8)).toEqual({ text: 'tech', start: 4 });
    expect(complete('LCO tech xrd', 8, 'technique:')).toEqual({ query: 'LCO technique:xrd', caret: 14 });
    expect(complete('LCO technique:x', 15, 'technique:xrd')).toEqual({
      query: 'LCO technique:xrd ',
      caret: 18,
    });
  });
});
