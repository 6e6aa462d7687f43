import { connection } from '@/api/connection';

/** What the server answered instead: RFC 9457, `detail` is a sentence that says what to do. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string | null;
  readonly errors: { field: string; message: string }[];

  constructor(status: number, body: Partial<ProblemBody>) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.name = 'Problem';
    this.status = status;
    this.code = body.code ?? (status === 404 ? 'not_found' : 'error');
    this.field = body.field ?? null;
    this.errors = body.errors ?? [];
  }

  /** The message for one field of a form, if it is about that field. */
  about(field: string): string | null {
    if (this.field === field) return this.message;
    return this.errors.find((e) => e.field === field)?.message ?? null;
  }
}

interface ProblemBody {
  title: string;
  status: number;
  code: string;
  detail: string;
  field: string;
  errors: { field: string; message: string }[];
}

/** The server cannot be reached (or is starting, behind a proxy): what is shown stays, requests are retried. */
export class Away extends Error {
  override name = 'Away';
}

const BASE = '/api/v1';

export type Params = Record<string, string | number | boolean | null | undefined | string[]>;

export function apiUrl(path: string, params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    if (Array.isArray(value)) for (const item of value) query.append(key, item);
    else if (value !== null && value !== undefined && value !== '') query.set(key, String(value));
  }
  const text = query.toString();
  return `${BASE}${path}${text ? `?${text}` : ''}`;
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    return new Problem(response.status, (await response.json()) as Partial<ProblemBody>);
  } catch {
    return new Problem(response.status, { title: response.statusText });
  }
}

const GATEWAY_DOWN = new Set([502, 503, 504]);

async function request(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { 'X-Zairyo': 'web', Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: 'same-origin',
      signal: signal ?? null,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    connection.lost();
    throw new Away(String(error));
  }
  if (GATEWAY_DOWN.has(response.status)) {
    connection.lost();
    throw new Away(`HTTP ${response.status}`);
  }
  connection.found();
  if (!response.ok) {
    const problem = await problemOf(response);
    if (response.status === 401 && problem.code !== 'bad_credentials') connection.signedOut();
    throw problem;
  }
  return response;
}

async function json<T>(method: string, path: string, params: Params, body?: unknown, signal?: AbortSignal) {
  const response = await request(method, apiUrl(path, params), body, signal);
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export const api = {
  get: <T>(path: string, params: Params = {}, signal?: AbortSignal) =>
    json<T>('GET', path, params, undefined, signal),
  post: <T>(path: string, body: unknown = {}) => json<T>('POST', path, {}, body),
  put: <T>(path: string, body: unknown) => json<T>('PUT', path, {}, body),
  patch: <T>(path: string, body: unknown) => json<T>('PATCH', path, {}, body),
  delete: <T>(path: string) => json<T>('DELETE', path, {}),
  /** A file as the answer to a POST; the browser saves it under `name`. */
  download: async (path: string, body: unknown, name: string) => {
    const response = await request('POST', apiUrl(path), body);
    saveBlob(await response.blob(), name);
  },
};

export function saveBlob(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 30_000);
}
