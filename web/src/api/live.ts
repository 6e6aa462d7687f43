/** What changes on the server, as it changes: one event stream for the whole page. */

import { connection } from '@/api/connection';

export type LiveEvent =
  | { kind: 'measurement'; uid: string; state: string; project: string }
  | { kind: 'instrument'; uid: string };

type Listener = (events: LiveEvent[]) => void;

/** Events within this time reach the listeners as one batch: a hundred files a second must not be a hundred renders. */
const BATCH_MS = 350;

class Live {
  #source: EventSource | null = null;
  #listeners = new Set<Listener>();
  #batch: LiveEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  #again: ReturnType<typeof setTimeout> | null = null;

  start(): void {
    if (this.#source) return;
    const source = new EventSource('/api/v1/events');
    this.#source = source;
    source.addEventListener('open', () => connection.found());
    source.addEventListener('measurement', (e) => this.#take('measurement', e));
    source.addEventListener('instrument', (e) => this.#take('instrument', e));
    source.addEventListener('error', () => {
      // The browser tries again by itself unless the answer was no event stream at all; then we do.
      if (source.readyState !== EventSource.CLOSED) return;
      this.stop();
      void connection.retry();
      this.#again = setTimeout(() => this.start(), 5000);
    });
  }

  stop(): void {
    this.#source?.close();
    this.#source = null;
    if (this.#again) clearTimeout(this.#again);
    this.#again = null;
  }

  readonly subscribe = (listener: Listener) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  #take(kind: LiveEvent['kind'], event: MessageEvent<string>): void {
    try {
      this.#batch.push({ ...(JSON.parse(event.data) as LiveEvent), kind } as LiveEvent);
    } catch {
      return; // A line that is no JSON tells nothing.
    }
    this.#timer ??= setTimeout(() => {
      const batch = this.#batch;
      this.#batch = [];
      this.#timer = null;
      for (const listener of this.#listeners) listener(batch);
    }, BATCH_MS);
  }
}

export const live = new Live();
