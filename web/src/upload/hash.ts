import { createSHA256, sha256 } from 'hash-wasm';
import type { Item } from '@/upload/queue';

const PART = 4 * 1024 * 1024;

/** SHA-256 of a file in hex, part by part, so that the page stays alive and the memory small. */
export async function hashFile(file: Blob, stopped: () => boolean = () => false): Promise<string | null> {
  const hasher = await createSHA256();
  for (let at = 0; at < file.size; at += PART) {
    if (stopped()) return null;
    hasher.update(new Uint8Array(await file.slice(at, at + PART).arrayBuffer()));
  }
  return hasher.digest('hex');
}

/** SHA-256 of a chunk in base64, as the header Upload-Checksum has it. */
export async function checksumHeader(body: Blob): Promise<string> {
  const hex = await sha256(new Uint8Array(await body.arrayBuffer()));
  const bytes = hex.match(/../g) ?? [];
  return `sha256 ${btoa(String.fromCharCode(...bytes.map((b) => Number.parseInt(b, 16))))}`;
}

/** The hash of a folder's files: over "name, NUL, hash, newline" of each, sorted by name. */
export async function hashSet(items: Pick<Item, 'set' | 'sha256'>[]): Promise<string> {
  const pairs = items.map((item) => [item.set?.name ?? '', item.sha256 ?? ''] as const);
  pairs.sort(([a], [b]) => comparePoints(a, b));
  return sha256(pairs.map(([name, hash]) => `${name}\0${hash}\n`).join(''));
}

/** By code points, as Python sorts; JavaScript's own order is by UTF-16 units. */
function comparePoints(a: string, b: string): number {
  const [p, q] = [[...a], [...b]];
  for (let k = 0; k < Math.min(p.length, q.length); k++) {
    const d = (p[k]?.codePointAt(0) ?? 0) - (q[k]?.codePointAt(0) ?? 0);
    if (d) return d;
  }
  return p.length - q.length;
}
