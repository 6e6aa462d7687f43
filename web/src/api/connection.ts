/** Whether the server answers. One small store that the client, the event stream and the banner share. */

type Listener = () => void;

export interface ConnectionState {
  /** True while requests fail; what is shown stays on the page. */
  away: boolean;
  /** True when the session ended while the page was open. */
  signedOut: boolean;
}

class Connection {
  #state: ConnectionState = { away: false, signedOut: false };
  #listeners = new Set<Listener>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #tries = 0;

  readonly subscribe = (listener: Listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly state = () => this.#state;

  lost(): void {
    this.#set({ away: true });
    this.#plan();
  }

  found(): void {
    this.#tries = 0;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#set({ away: false });
  }

  signedOut(): void {
    this.#set({ signedOut: true });
  }

  signedIn(): void {
    this.#set({ signedOut: false });
  }

  /** Ask at once, e.g. because the person pressed the button. */
  readonly retry = async (): Promise<void> => {
    try {
      const response = await fetch('/api/v1/health', { cache: 'no-store' });
      if (response.ok) return this.found();
    } catch {
      // Still away: plan the next try below.
    }
    this.#timer = null;
    this.#plan();
  };

  #plan(): void {
    if (this.#timer) return;
    const seconds = Math.min(15, 1.5 * 2 ** this.#tries++);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.retry();
    }, seconds * 1000);
  }

  #set(change: Partial<ConnectionState>): void {
    const next = { ...this.#state, ...change };
    if (next.away === this.#state.away && next.signedOut === this.#state.signedOut) return;
    this.#state = next;
    for (const listener of this.#listeners) listener();
  }
}

export const connection = new Connection();
