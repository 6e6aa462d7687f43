/** Nested metadata as lines of path and value, in the file's order. */

export interface Line {
  path: string;
  value: string;
}

export function flatten(value: unknown, path = ''): Line[] {
  if (Array.isArray(value)) {
    if (value.every((v) => v === null || typeof v !== 'object'))
      return [{ path, value: value.map(text).join(', ') }];
    return value.flatMap((v, k) => flatten(v, `${path}[${k}]`));
  }
  if (value !== null && typeof value === 'object') {
    return Object.entries(value).flatMap(([key, v]) => flatten(v, path ? `${path} / ${key}` : key));
  }
  return [{ path, value: text(value) }];
}

const text = (value: unknown) => (value === null || value === undefined ? '–' : String(value));

/** All words somewhere in path or value, whatever their case. */
export function matches(line: Line, query: string): boolean {
  const all = `${line.path} ${line.value}`.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}
