import { describe, expect, it } from 'vitest';
import { spoken } from '@/lib/vocabulary';

const label = (name: string, text: string, unit: string | null = null) => ({ name, label: text, unit });

describe("axes speak the page's language", () => {
  it("takes the vocabulary's word where the file gave none", () => {
    expect(spoken(label('two_theta', 'two theta (deg)', 'deg'), 'en')).toBe('2θ');
    expect(spoken(label('intensity', 'Intensity (counts)', 'counts'), 'ja')).toBe('強度');
  });
  it("keeps the file's own words", () => {
    expect(spoken(label('cycle', 'Cycle, as the tester counted', ''), 'ja')).toBe(
      'Cycle, as the tester counted',
    );
    expect(spoken(label('hfoiltemp', 'HFoilTemp'), 'en')).toBe('HFoilTemp');
  });
});
