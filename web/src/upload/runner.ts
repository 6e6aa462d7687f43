/** Runs the queue: hash, send by tus with a checksum on every chunk, go on after a lost connection or a reload. */

import { DefaultHttpStack, DetailedError, type HttpRequest, type HttpStack, Upload } from 'tus-js-client';
import { connection } from '@/api/connection';
import type { Receipt } from '@/api/types';
import { checksumHeader, hashFile, hashSet } from '@/upload/hash';
import {
  type Change,
  continues,
  folderFormat,
  type Item,
  isAway,
  markedFolders,
  next,
  patch,
  restored,
} from '@/upload/queue';
import { forget, keep, recall } from '@/upload/store';

const CHUNK = 8 * 1024 * 1024;
const RETRY_MS = [400, 1200, 3000];

export interface Dropped {
  file: File;
  path: string;
}

class Uploads {
  #items: Item[] = [];
  #files = new Map<string, File>();
  #running = new Map<string, Upload>();
  #listeners = new Set<() => void>();

  constructor() {
    connection.subscribe(() => {
      if (!connection.state().away) this.#wake('away');
    });
    if (typeof indexedDB !== 'undefined') void this.#recall();
  }

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  readonly items = () => this.#items;

  add(dropped: Dropped[], project: string): void {
    const sets = new Map<string, { id: string; count: number }>();
    const marked = markedFolders(dropped.map(({ path }) => path));
    const batch = randomId();
    for (const { path } of dropped) {
      const folder = folderFormat(path, marked);
      if (!folder) continue;
      const set = sets.get(folder) ?? { id: randomId(), count: 0 };
      set.count += 1;
      sets.set(folder, set);
    }
    const added: Item[] = [];
    for (const { file, path } of dropped) {
      const known = continues(this.#items, { path, size: file.size, modified: file.lastModified });
      if (known) {
        this.#files.set(known.id, file);
        this.#change(known.id, { status: 'waiting' });
        continue;
      }
      const folder = folderFormat(path, marked);
      const set = folder ? sets.get(folder) : undefined;
      const item: Item = {
        id: randomId(),
        name: file.name,
        path,
        size: file.size,
        modified: file.lastModified,
        project,
        batch,
        status: 'waiting',
        sent: 0,
        ...(folder && set
          ? { set: { id: set.id, folder, name: path.slice(folder.length + 1), size: set.count } }
          : {}),
      };
      this.#files.set(item.id, file);
      added.push(item);
    }
    this.#set([...added, ...this.#items]);
    for (const item of added) void keep(item, this.#files.get(item.id) ?? null);
    this.#pump();
  }

  pause(id: string): void {
    void this.#running.get(id)?.abort();
    this.#running.delete(id);
    this.#change(id, { status: 'paused' });
  }

  resume(id: string): void {
    this.#change(id, { status: 'waiting', error: undefined });
    this.#pump();
  }

  remove(id: string): void {
    const item = this.#items.find((one) => one.id === id);
    // The server forgets what came of an unfinished file; a finished one stays where it is.
    const running = this.#running.get(id);
    if (item && item.status !== 'done' && item.url)
      void Upload.terminate(item.url, { headers: HEADERS }).catch(() => undefined);
    void running?.abort();
    this.#running.delete(id);
    this.#files.delete(id);
    this.#set(this.#items.filter((one) => one.id !== id));
    void forget(id);
    this.#pump();
  }

  clearDone(): void {
    for (const item of this.#items) if (item.status === 'done') void forget(item.id);
    this.#set(this.#items.filter((item) => item.status !== 'done'));
  }

  async #recall(): Promise<void> {
    const kept = await recall();
    for (const { id, file } of kept) if (file) this.#files.set(id, file);
    const items = kept.map(({ item, file }) => restored(item, file !== null));
    items.sort((a, b) => b.modified - a.modified);
    this.#set([...this.#items, ...items.filter((item) => !this.#items.some((one) => one.id === item.id))]);
    this.#pump();
  }

  #wake(status: Item['status']): void {
    if (!this.#items.some((item) => item.status === status)) return;
    this.#set(this.#items.map((item) => (item.status === status ? { ...item, status: 'waiting' } : item)));
    this.#pump();
  }

  #set(items: Item[]): void {
    this.#items = items;
    for (const listener of this.#listeners) listener();
  }

  #change(id: string, change: Change): void {
    this.#set(patch(this.#items, id, change));
    const item = this.#items.find((one) => one.id === id);
    // Progress within a file need not be remembered: the server knows how far it came.
    if (item && Object.keys(change).some((key) => key !== 'sent'))
      void keep(item, this.#files.get(id) ?? null);
  }

  #pump(): void {
    for (const item of next(this.#items)) {
      this.#change(item.id, { status: 'hashing' });
      void this.#send(item.id).catch((error: unknown) => this.#fail(item.id, error));
    }
  }

  #fail(id: string, error: unknown): void {
    this.#running.delete(id);
    if (this.#status(id) === 'paused') return;
    const status = error instanceof DetailedError ? error.originalResponse?.getStatus() : undefined;
    if (error instanceof DetailedError && isAway(status)) {
      connection.lost();
      this.#change(id, { status: 'away' });
    } else {
      this.#change(id, { status: 'failed', error: explain(error) });
    }
    this.#pump();
  }

  #status(id: string): Item['status'] | undefined {
    return this.#items.find((item) => item.id === id)?.status;
  }

  async #send(id: string): Promise<void> {
    const file = this.#files.get(id);
    if (!file) return this.#change(id, { status: 'needs_file' });
    if (!(await this.#hashed(id, file))) return;
    const item = this.#items.find((one) => one.id === id);
    if (!item?.sha256) return;
    if (item.set && !item.set.sha256) return; // the last file of the folder to be hashed starts them all
    this.#change(id, { status: 'sending' });
    let receipt: Receipt | undefined;
    const upload = new Upload(file, {
      endpoint: `${location.origin}/api/v1/uploads`,
      uploadUrl: item.url ?? null,
      chunkSize: CHUNK,
      uploadDataDuringCreation: true,
      storeFingerprintForResuming: false,
      retryDelays: RETRY_MS,
      headers: HEADERS,
      metadata: metadataOf(item),
      httpStack: new ChecksumStack(),
      onShouldRetry: (error) => isAway(error.originalResponse?.getStatus()),
      onUploadUrlAvailable: () => this.#change(id, { url: upload.url ?? undefined }),
      onProgress: (sent) => this.#change(id, { sent }),
      onAfterResponse: (_, response) => {
        const header = response.getHeader('Zairyo-Receipt');
        if (header) receipt = JSON.parse(header) as Receipt;
      },
      onSuccess: () => void this.#finish(id, receipt).catch((error: unknown) => this.#fail(id, error)),
      onError: (error) => this.#fail(id, error),
    });
    this.#running.set(id, upload);
    upload.start();
  }

  /** Hash the file, and with the last one of a folder the folder; false if it cannot start yet. */
  async #hashed(id: string, file: File): Promise<boolean> {
    const item = this.#items.find((one) => one.id === id);
    if (item && !item.sha256) {
      const sha256 = await hashFile(file, () => this.#status(id) !== 'hashing');
      if (sha256 === null) return false;
      this.#change(id, { sha256 });
    }
    if (!item?.set || item.set.sha256) return true;
    const mates = this.#items.filter((one) => one.set?.id === item.set?.id);
    if (mates.some((one) => !one.sha256)) {
      this.#change(id, { status: 'paused' });
      this.#pump();
      return false;
    }
    const whole = await hashSet(mates);
    for (const mate of mates) {
      const set = mate.set && { ...mate.set, sha256: whole };
      this.#change(mate.id, mate.id === id ? { set } : { set, status: 'waiting' });
    }
    this.#pump();
    return true;
  }

  async #finish(id: string, header: Receipt | undefined): Promise<void> {
    this.#running.delete(id);
    const item = this.#items.find((one) => one.id === id);
    const receipt = header ?? (item?.url ? await fetchReceipt(item.url) : undefined);
    if (!receipt || receipt.sha256 !== item?.sha256) {
      this.#change(id, { status: 'failed', error: 'receipt' });
    } else {
      this.#files.delete(id);
      this.#change(id, { status: 'done', sent: item.size, receipt, error: undefined });
    }
    this.#pump();
  }
}

const HEADERS = { 'X-Zairyo': 'web' };

async function fetchReceipt(url: string): Promise<Receipt | undefined> {
  const response = await fetch(`${url}/receipt`, { headers: HEADERS });
  return response.ok ? ((await response.json()) as Receipt) : undefined;
}

function metadataOf(item: Item): Record<string, string> {
  const common = {
    sha256: item.sha256 ?? '',
    modified: new Date(item.modified).toISOString(),
    project: item.project,
  };
  if (!item.set)
    return { ...common, filename: item.name, path: item.path, ...(item.batch && { batch: item.batch }) };
  const { id, folder, name, size, sha256 = '' } = item.set;
  return {
    ...common,
    filename: item.name,
    path: folder,
    set: id,
    set_size: String(size),
    set_sha256: sha256,
    name,
  };
}

/** The sentence of the server's problem; `error` keys of the page where there is none. */
function explain(error: unknown): string {
  if (error instanceof DetailedError) {
    try {
      const body = JSON.parse(error.originalResponse?.getBody() ?? '') as { detail?: string; title?: string };
      return body.detail ?? body.title ?? error.message;
    } catch {
      return error.message;
    }
  }
  return error instanceof Error ? error.message : String(error);
}

/** tus' own requests, with the SHA-256 of every chunk in the header Upload-Checksum. */
class ChecksumStack implements HttpStack {
  readonly #inner = new DefaultHttpStack({});

  createRequest(method: string, url: string): HttpRequest {
    const request = this.#inner.createRequest(method, url);
    const send = request.send.bind(request);
    request.send = async (body: unknown) => {
      if (body instanceof Blob && body.size) request.setHeader('Upload-Checksum', await checksumHeader(body));
      return send(body as Blob);
    };
    return request;
  }

  getName(): string {
    return 'zairyo';
  }
}

// Not crypto.randomUUID: browsers have it on secure pages only, and a laboratory's server may speak plain HTTP.
const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');

export const uploads = new Uploads();
