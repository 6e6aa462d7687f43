import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import en from '@/locales/en.json';
import ja from '@/locales/ja.json';

type Tree = { [key: string]: string | Tree };

const leaves = (tree: Tree, path = ''): [string, string][] =>
  Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[path + key, value] as [string, string]] : leaves(value, `${path}${key}.`),
  );
/** English has a singular where Japanese has none. */
const base = (key: string) => key.replace(/_(one|other)$/, '');
const keys = (tree: Tree) => new Set(leaves(tree).map(([key]) => base(key)));
const holes = (text: string) =>
  [...text.matchAll(/{{(\w+)}}/g)]
    .map((m) => m[1])
    .sort()
    .join();

const root = join(import.meta.dirname, '..', 'src');
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts'))
  .map((name) => ({
    name,
    source: ts.createSourceFile(
      name,
      readFileSync(join(root, name), 'utf8'),
      ts.ScriptTarget.Latest,
      true,
      name.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS,
    ),
  }));

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  node.forEachChild((child) => walk(child, visit));
}

describe('both languages say everything', () => {
  it('has the same keys in English and Japanese', () =>
    expect([...keys(ja as Tree)].sort()).toEqual([...keys(en as Tree)].sort()));

  it('fills in the same values', () => {
    const japanese = new Map(leaves(ja as Tree));
    for (const [key, text] of leaves(en as Tree)) {
      const other = japanese.get(key);
      if (other !== undefined && !key.endsWith('_one')) expect(holes(other), key).toBe(holes(text));
    }
  });

  it('leaves no text empty', () => {
    for (const [key, text] of [...leaves(en as Tree), ...leaves(ja as Tree)])
      expect(text.trim(), key).not.toBe('');
  });

  const known = keys(en as Tree);
  it('names only keys that are there', () => {
    const missing: string[] = [];
    for (const { name, source } of files) {
      walk(source, (node) => {
        if (!ts.isCallExpression(node) || node.expression.getText(source) !== 't') return;
        walk(node.arguments[0] ?? node, (part) => {
          if (ts.isStringLiteral(part) && part.text.includes('.') && !known.has(part.text))
            missing.push(`${name}: ${part.text}`);
          if (ts.isTemplateExpression(part)) {
            const start = part.head.text;
            if (start.includes('.') && ![...known].some((key) => key.startsWith(start)))
              missing.push(`${name}: ${start}…`);
          }
        });
      });
    }
    expect(missing).toEqual([]);
  });

  it('uses every key', () => {
    const used = files.map(({ source }) => source.getFullText()).join('\n');
    const dynamic =
      /^(errorKind|facets|instruments|measurement|provenance|role|rules|scope|search\.example|shortcuts|sort|state|theme|upload\.status|language)\./;
    expect([...known].filter((key) => !used.includes(`'${key}'`) && !dynamic.test(key))).toEqual([]);
  });
});

describe('no component has words of its own', () => {
  const WORDS = /\p{L}{2,}/u;
  const SPOKEN = new Set([
    'title',
    'label',
    'placeholder',
    'description',
    'aria-label',
    'alt',
    'text',
    'message',
    'error',
  ]);

  it('says nothing in JSX but what the language files say', () => {
    const found: string[] = [];
    for (const { name, source } of files) {
      walk(source, (node) => {
        if (ts.isJsxText(node) && WORDS.test(node.text)) found.push(`${name}: ${node.text.trim()}`);
        if (
          ts.isJsxAttribute(node) &&
          SPOKEN.has(node.name.getText(source)) &&
          node.initializer &&
          ts.isStringLiteral(node.initializer) &&
          WORDS.test(node.initializer.text)
        ) {
          found.push(`${name}: ${node.getText(source)}`);
        }
      });
    }
    expect(found).toEqual([]);
  });
});
