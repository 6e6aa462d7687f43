/**
 * The search box's language, as far as the page needs it: split into tokens, to show, replace and remove them.
 * What a token means is the server's matter.
 */

export interface Token {
  kind: 'word' | 'phrase' | 'field' | 'range';
  text: string;
  start: number;
  end: number;
  key?: string;
  op?: string;
  value?: string;
}

const PATTERN =
  /(?<phrase>"[^"]*"?)|(?<field>[A-Za-z_][\w]*):(?<fieldValue>"[^"]*"?|\S*)|(?<name>[A-Za-z_][\w]*)\s*(?<op><=|>=|!=|=|<|>|≤|≥)\s*(?<value>-?[\d.][\d.eE+-]*(?:\.\.-?[\d.eE+-]+)?|"[^"]*"?|\S+)(?:\s*(?<unit>[^\s\d"<>=:!][^\s:"<>=]*)(?=\s|$))?|(?<word>\S+)/gu;

/** A word after a number that is a unit of the range, not a search word of its own: `temperature > 300 degC`. */
const UNIT = /^(?:%|°|°?[CFK]|[µunmkMGp]?[A-Za-zΩÅ°%]{1,10}(?:[\^*/·.\d⁻¹²³-]+[A-Za-z]*)*)$/u;

export function tokens(query: string): Token[] {
  const found: Token[] = [];
  PATTERN.lastIndex = 0;
  for (let m = PATTERN.exec(query); m; m = PATTERN.exec(query)) {
    const groups = m.groups ?? {};
    let text = m[0];
    if (groups.name && groups.unit && !UNIT.test(groups.unit)) {
      // The word behind the number is no unit: give it back to the scan.
      text = text.slice(0, text.length - groups.unit.length).trimEnd();
      PATTERN.lastIndex = m.index + text.length;
    }
    const token: Token = { kind: 'word', text, start: m.index, end: m.index + text.length };
    if (groups.phrase) token.kind = 'phrase';
    else if (groups.field)
      Object.assign(token, {
        kind: 'field',
        key: groups.field,
        op: ':',
        value: unquote(groups.fieldValue ?? ''),
      });
    else if (groups.name) {
      Object.assign(token, {
        kind: 'range',
        key: groups.name,
        op: groups.op,
        value: text.slice(text.indexOf(groups.op ?? '=') + (groups.op?.length ?? 1)).trim(),
      });
    }
    found.push(token);
  }
  return found;
}

function unquote(text: string): string {
  return text.replace(/^"|"$/g, '');
}

/** The query without that token, its surrounding blanks joined. */
export function removeToken(query: string, token: Token): string {
  return `${query.slice(0, token.start).trimEnd()} ${query.slice(token.end).trimStart()}`.trim();
}

/** Replace every range over `name` by one, or (null) leave it out. */
export function setRange(
  query: string,
  name: string,
  range: { from: number; to: number; unit: string } | null,
): string {
  let rest = query;
  for (const token of tokens(query).reverse()) {
    if (token.kind === 'range' && token.key === name) rest = removeToken(rest, token);
  }
  if (!range) return rest;
  const text = `${name}=${plain(range.from)}..${plain(range.to)}${range.unit ? ` ${range.unit}` : ''}`;
  return `${rest} ${text}`.trim();
}

/** The range over `name` in the query, where it is of the form `name=10..20 unit`. */
export function rangeOf(query: string, name: string): [number, number] | null {
  for (const token of tokens(query)) {
    if (token.kind !== 'range' || token.key !== name || token.op !== '=') continue;
    const m = /^(-?[\d.eE+-]+?)\.\.(-?[\d.eE+-]+)/.exec(token.value ?? '');
    if (m) return [Number(m[1]), Number(m[2])];
  }
  return null;
}

const plain = (value: number) => String(Number(value.toPrecision(6)));

/** What is being typed at the caret, for suggestions: the token that ends there. */
export function tokenAt(query: string, caret: number): { text: string; start: number } {
  const before = query.slice(0, caret);
  const start = /(?:"[^"]*|\S*)$/.exec(before)?.index ?? caret;
  return { text: before.slice(start), start };
}

/** Put a suggestion in the place of what was being typed; a value ends with a blank, a key waits for its value. */
export function complete(query: string, caret: number, text: string): { query: string; caret: number } {
  const { start } = tokenAt(query, caret);
  const open = /[:<>=]$/.test(text);
  const head = query.slice(0, start) + text + (open ? '' : ' ');
  return { query: head + query.slice(caret).trimStart(), caret: head.length };
}
