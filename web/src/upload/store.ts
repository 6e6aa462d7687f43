/** The queue's memory over a reload: IndexedDB, with the files themselves as far as the browser takes them. */

import type { Item } from '@/upload/queue';

const STORE = 'uploads';
/** A larger file is asked for again instead of being copied. */
const MOST_KEPT = 512 * 1024 * 1024;

interface Kept {
  id: string;
  item: Item;
  file: File | null;
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('zairyo', 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function run<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await open();
  try {
    return await new Promise<T>((resolve, reject) => {
      const request = act(db.transaction(STORE, mode).objectStore(STORE));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  } finally {
    db.close();
  }
}

/** Where the browser keeps nothing (private windows), uploads work, they only do not survive a reload. */
const orNothing = async <T>(work: Promise<T>, nothing: T): Promise<T> => work.catch(() => nothing);

export async function keep(item: Item, file: File | null): Promise<void> {
  const kept = file && file.size <= MOST_KEPT && item.status !== 'done' ? file : null;
  await orNothing<unknown>(
    run('readwrite', (store) => store.put({ id: item.id, item, file: kept } satisfies Kept)),
    null,
  );
}

export async function forget(id: string): Promise<void> {
  await orNothing<unknown>(
    run('readwrite', (store) => store.delete(id)),
    null,
  );
}

export async function recall(): Promise<Kept[]> {
  return orNothing(
    run('readonly', (store) => store.getAll() as IDBRequest<Kept[]>),
    [],
  );
}
