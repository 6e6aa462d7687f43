/** Numbers and units as people of the field write them. */

const SUPERSCRIPT: Record<string, string> = {
  '-': '⁻',
  '0': '⁰',
  '1': '¹',
  '2': '²',
  '3': '³',
  '4': '⁴',
  '5': '⁵',
  '6': '⁶',
  '7': '⁷',
  '8': '⁸',
  '9': '⁹',
};

export const superscript = (n: number | string) => [...String(n)].map((c) => SUPERSCRIPT[c] ?? c).join('');

/** "1 234 567" with thin no-break spaces: read the same in every language. */
export function grouped(digits: string): string {
  const [whole = '', fraction] = digits.split('.');
  const sign = whole.startsWith('-') ? '−' : '';
  const bare = whole.replace('-', '');
  const parts = bare.length > 4 ? bare.replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f') : bare;
  return sign + parts + (fraction === undefined ? '' : `.${fraction}`);
}

/**
 * A number with about `digits` significant ones: plain between 10⁻³ and 10⁶, else as a power of ten.
 * Integers below 10⁹ keep all their digits. No trailing zeros.
 */
export function formatNumber(value: number, digits = 5): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e9) return grouped(String(value));
  if (size >= 1e6 || size < 1e-3) {
    const [mantissa = '', exponent = '0'] = value.toExponential(digits - 1).split('e');
    const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
    const power = `10${superscript(Number(exponent))}`;
    return short === '1' ? power : `${short.replace('-', '−')} × ${power}`;
  }
  const decimals = Math.max(0, Math.min(12, digits - 1 - Math.floor(Math.log10(size))));
  const text = value.toFixed(decimals);
  return grouped(text.includes('.') ? text.replace(/\.?0+$/, '') : text);
}

/** A tick of a scale whose step is `step`: as many decimals as the step needs. */
export function formatTick(value: number, step: number): string {
  const size = Math.max(Math.abs(value), Math.abs(step));
  if (value === 0) return '0';
  if (size >= 1e6 || Math.abs(step) < 1e-4) return formatNumber(value, 4);
  const first = Math.max(0, Math.ceil(-Math.log10(Math.abs(step)) - 1e-9));
  const scaled = Math.abs(step) * 10 ** first;
  const isWhole = Math.abs(scaled - Math.round(scaled)) < 1e-6 * scaled;
  const decimals = Math.min(8, isWhole ? first : first + 1); // steps of 0.25 and 2.5 have a digit more
  return grouped(value.toFixed(decimals));
}

const UNITS: Record<string, string> = {
  deg: '°',
  degC: '°C',
  degF: '°F',
  angstrom: 'Å',
  percent: '%',
  um: 'µm',
  us: 'µs',
  uA: 'µA',
  uV: 'µV',
  uJ: 'µJ',
  uW: 'µW',
  ul: 'µl',
  ohm: 'Ω',
  arb: 'a.u.',
  delta_degC: '°C',
  dimensionless: '',
  count: 'counts',
  // What Pint makes of derived SI units.
  'kg*m**2/(s**3*A)': 'V',
  'kg*m**2/(s**3*A**2)': 'Ω',
  'kg*m**2/s**2': 'J',
  'kg*m**2/s**3': 'W',
  'kg*m/s**2': 'N',
  'kg/(m*s**2)': 'Pa',
  'kg/(s**2*A)': 'T',
  'A*s': 'C',
  '1/s': 's⁻¹',
};

/** "1.54–1.541": both ends with as many digits as it takes to tell them apart, at least three. */
export function formatRange(lo: number, hi: number): string {
  let digits = 3;
  while (digits < 9 && lo !== hi && formatNumber(lo, digits) === formatNumber(hi, digits)) digits++;
  return lo === hi ? formatNumber(lo, 4) : `${formatNumber(lo, digits)}–${formatNumber(hi, digits)}`;
}

/** A unit as Pint spells it, made readable: `1/cm` → `cm⁻¹`, `mm**3` → `mm³`, `ohm*cm` → `Ω·cm`. */
export function prettyUnit(unit: string | null | undefined): string {
  if (!unit) return '';
  if (unit in UNITS) return UNITS[unit] ?? '';
  const inverse = /^1\s*\/\s*([A-Za-zµ]+)$/.exec(unit);
  if (inverse?.[1]) return `${prettyUnit(inverse[1])}⁻¹`;
  return unit
    .replace(/[A-Za-zµ_]+/g, (name) => UNITS[name] ?? name)
    .replace(/\s*\*\*\s*(-?\d+)/g, (_, power: string) => superscript(power))
    .replace(/\s*\*\s*/g, '·')
    .replace(/\s*\/\s*/g, '/');
}

const UNSPACED = new Set(['°', '%']);

export function withUnit(text: string, unit: string | null | undefined): string {
  const pretty = prettyUnit(unit);
  if (!pretty) return text;
  return UNSPACED.has(pretty) ? `${text}${pretty}` : `${text}\u00a0${pretty}`;
}

export function formatQuantity(
  value: number | string | boolean,
  unit?: string | null,
  uncertainty?: number | null,
): string {
  if (typeof value !== 'number') return withUnit(String(value), unit);
  const text = formatNumber(value, 6) + (uncertainty ? ` ± ${formatNumber(uncertainty, 2)}` : '');
  return withUnit(text, unit);
}

/** "2θ (°)"; a label that already ends with its unit is left alone. */
export function axisLabel(label: string, unit: string | null | undefined): string {
  const pretty = prettyUnit(unit);
  const bare = unit && label.endsWith(`(${unit})`) ? label.slice(0, -unit.length - 2).trim() : label;
  return pretty && !bare.endsWith(`(${pretty})`) ? `${bare} (${pretty})` : bare;
}

export function formatBytes(bytes: number): string {
  const names = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = bytes;
  let step = 0;
  while (size >= 999.5 && step < names.length - 1) {
    size /= 1000;
    step += 1;
  }
  const text = step === 0 ? String(size) : size.toFixed(size < 9.95 ? 1 : 0);
  return `${text}\u00a0${names[step]}`;
}

/** Read a number as people type it: decimal comma or point, spaces as thousands, × 10^n or e notation. */
export function parseNumber(text: string): number | null {
  let clean = text
    .trim()
    .replace(/[\s\u00a0\u202f_]/g, '')
    .replace(/−/g, '-');
  clean = clean.replace(/[×x*]10\^?(-?\d+)$/i, 'e$1');
  if (/^[+-]?\d+,\d+(e[+-]?\d+)?$/i.test(clean)) clean = clean.replace(',', '.');
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(clean)) return null;
  const value = Number(clean);
  return Number.isFinite(value) ? value : null;
}
