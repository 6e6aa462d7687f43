import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checksumHeader, hashFile, hashSet } from '@/upload/hash';
import {
  AT_ONCE,
  continues,
  folderFormat,
  type Item,
  isAway,
  markedFolders,
  next,
  patch,
  restored,
  totals,
} from '@/upload/queue';

const item = (id: string, over: Partial<Item> = {}): Item => ({
  id,
  name: id,
  path: id,
  size: 100,
  modified: 1,
  project: 'p',
  status: 'waiting',
  sent: 0,
  ...over,
});

describe('the upload queue loses no file', () => {
  it('starts only so many at once, in order', () => {
    const items = ['a', 'b', 'c', 'd', 'e'].map((id) => item(id));
    expect(next(items).map((i) => i.id)).toEqual(['a', 'b', 'c'].slice(0, AT_ONCE));
    const running = patch(items, 'a', { status: 'sending' });
    expect(next(running).map((i) => i.id)).toEqual(['b', 'c']);
    expect(next(running.map((i) => ({ ...i, status: 'hashing' as const })))).toEqual([]);
  });
  it('goes on after a reload, asks for a file the browser could not keep, and leaves a pause a pause', () => {
    expect(restored(item('a', { status: 'sending', url: 'u' }), true)).toMatchObject({
      status: 'waiting',
      url: 'u',
    });
    expect(restored(item('a', { status: 'sending' }), false).status).toBe('needs_file');
    expect(restored(item('a', { status: 'paused' }), true).status).toBe('paused');
    expect(restored(item('a', { status: 'done' }), false).status).toBe('done');
  });
  it('knows the file again by path, size and time', () => {
    const items = [item('a', { status: 'needs_file' }), item('b')];
    expect(continues(items, { path: 'a', size: 100, modified: 1 })?.id).toBe('a');
    expect(continues(items, { path: 'a', size: 101, modified: 1 })).toBeUndefined();
    expect(continues(items, { path: 'b', size: 100, modified: 1 })).toBeUndefined();
  });
  it('tries again what a lost connection stopped, not what the server refused', () => {
    for (const status of [undefined, 0, 502, 503, 504, 429]) expect(isAway(status)).toBe(true);
    for (const status of [400, 401, 403, 404, 413, 422, 460, 500, 507]) expect(isAway(status)).toBe(false);
  });
  it('adds up', () => {
    const items = [
      item('a', { status: 'done' }),
      item('b', { status: 'sending', sent: 30 }),
      item('c', { status: 'failed' }),
    ];
    expect(totals(items)).toEqual({ files: 3, done: 1, failed: 1, bytes: 300, sent: 130, active: true });
    expect(totals([item('a', { status: 'paused' })]).active).toBe(false);
  });
  it('takes a folder format as one', () => {
    expect(folderFormat('a/run 1.D/acq/x.bin')).toBe('a/run 1.D');
    expect(folderFormat('run.D')).toBeNull();
    expect(folderFormat('a/b.txt')).toBeNull();
    expect(folderFormat('lc/RUN.RAW/_FUNC001.DAT')).toBe('lc/RUN.RAW');
  });
  it('takes a folder as one by a file in it', () => {
    const marked = markedFolders([
      'a/1/acqus',
      'a/1/fid',
      'a/1/pdata/1/procs',
      'a/title',
      'acqus',
      'b/xacqus',
    ]);
    expect([...marked]).toEqual(['a/1']);
    expect(folderFormat('a/1/pdata/1/procs', marked)).toBe('a/1');
    expect(folderFormat('a/title', marked)).toBeNull();
  });
});

describe('hashes are those of the server', () => {
  const bytes = new Uint8Array(9_000_000).map((_, i) => (i * 7919) % 251);
  const node = (data: Uint8Array | string) => createHash('sha256').update(data);
  it('of a whole file, part by part', async () => {
    expect(await hashFile(new Blob([bytes]))).toBe(node(bytes).digest('hex'));
    expect(await hashFile(new Blob([]))).toBe(node('').digest('hex'));
  });
  it('stops when the person does', async () =>
    expect(await hashFile(new Blob([bytes]), () => true)).toBeNull());
  it('of a chunk, as tus writes it', async () => {
    expect(await checksumHeader(new Blob(['abc']))).toBe(`sha256 ${node('abc').digest('base64')}`);
  });
  it('of a folder, sorted by code points', async () => {
    const set = (name: string) => ({ id: 's', folder: 'f', name, size: 3 });
    const files = [
      { set: set('\u{1F600}'), sha256: 'c' },
      { set: set('b'), sha256: 'b' },
      { set: set('\uFF5E'), sha256: 'a' },
    ];
    expect(await hashSet(files)).toBe(node('b\0b\n\uFF5E\0a\n\u{1F600}\0c\n').digest('hex'));
  });
});
