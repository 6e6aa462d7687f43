/** The upload queue as plain data; what runs it is in `runner.ts`. */

import type { Receipt } from '@/api/types';
import { FOLDER_FORMATS } from '@/lib/vocabulary';

export type Status =
  | 'waiting' // for its turn
  | 'hashing'
  | 'sending'
  | 'paused' // by the person
  | 'away' // the connection is lost; goes on by itself
  | 'needs_file' // after a reload, where the browser could not keep the file
  | 'done'
  | 'failed';

export interface FileSet {
  id: string;
  /** The folder, e.g. `run 1.D`. */
  folder: string;
  /** Path inside the folder. */
  name: string;
  size: number;
  sha256?: string;
}

export interface Item {
  id: string;
  name: string;
  path: string;
  size: number;
  modified: number;
  project: string;
  set?: FileSet;
  /** Of all that was chosen or dropped at once: the server finds by it which files are one run. */
  batch?: string;
  status: Status;
  sent: number;
  sha256?: string;
  url?: string;
  receipt?: Receipt;
  error?: string;
}

export type Change = Partial<Omit<Item, 'id'>>;

export const AT_ONCE = 3;
const RUNNING: Status[] = ['hashing', 'sending'];

export function patch(items: Item[], id: string, change: Change): Item[] {
  return items.map((item) => (item.id === id ? { ...item, ...change } : item));
}

/** The next items to start, in order, so that at most `AT_ONCE` run. */
export function next(items: Item[]): Item[] {
  const room = AT_ONCE - items.filter((item) => RUNNING.includes(item.status)).length;
  return room > 0 ? items.filter((item) => item.status === 'waiting').slice(0, room) : [];
}

/** After a reload: what ran goes on if its file is still there, else asks for it. */
export function restored(item: Item, hasFile: boolean): Item {
  if (item.status === 'done' || item.status === 'failed') return item;
  if (!hasFile) return { ...item, status: 'needs_file' };
  return { ...item, status: item.status === 'paused' ? 'paused' : 'waiting' };
}

/** An unfinished item that this file continues: same path, size and time. */
export function continues(
  items: Item[],
  file: { path: string; size: number; modified: number },
): Item | undefined {
  return items.find(
    (item) =>
      item.status === 'needs_file' &&
      item.path === file.path &&
      item.size === file.size &&
      item.modified === file.modified,
  );
}

export interface Totals {
  files: number;
  done: number;
  failed: number;
  bytes: number;
  sent: number;
  active: boolean;
}

export function totals(items: Item[]): Totals {
  const sum = { files: items.length, done: 0, failed: 0, bytes: 0, sent: 0, active: false };
  for (const item of items) {
    if (item.status === 'done') sum.done += 1;
    if (item.status === 'failed') sum.failed += 1;
    sum.bytes += item.size;
    sum.sent += item.status === 'done' ? item.size : item.sent;
    if (['waiting', 'hashing', 'sending', 'away'].includes(item.status)) sum.active = true;
  }
  return sum;
}

/** What of a failed request is worth trying again: nothing the server refused for a reason. */
export function isAway(status: number | undefined): boolean {
  return (
    status === undefined ||
    status === 0 ||
    status === 423 ||
    status === 429 ||
    [502, 503, 504].includes(status)
  );
}

const ENDINGS = FOLDER_FORMATS.filter((form) => !form.startsWith('/')).map((form) => form.toLowerCase());
const MARKS = FOLDER_FORMATS.filter((form) => form.startsWith('/'));

/** Folders that are one measurement by a file in them, e.g. of `a/1/acqus` and `a/1/fid` it is `a/1`. */
export function markedFolders(paths: string[]): Set<string> {
  const ends = paths.flatMap((path) =>
    MARKS.filter((mark) => path.endsWith(mark)).map((mark) => [path, mark]),
  );
  return new Set(ends.map(([path = '', mark = '']) => path.slice(0, -mark.length)).filter(Boolean));
}

/** Folder in a dropped path that is one measurement as a whole, e.g. `a/run 1.D/acq/x.bin` → `a/run 1.D`. */
export function folderFormat(path: string, marked: ReadonlySet<string> = new Set()): string | null {
  const parts = path.split('/').slice(0, -1);
  const folders = parts.map((_, k) => parts.slice(0, k + 1).join('/'));
  const isWhole = (folder: string) =>
    marked.has(folder) || ENDINGS.some((ending) => folder.toLowerCase().endsWith(ending));
  return folders.find(isWhole) ?? null;
}
