import {
  infiniteQueryOptions,
  keepPreviousData,
  QueryClient,
  queryOptions,
  useQuery,
} from '@tanstack/react-query';
import { Away, api, type Params, Problem } from '@/api/client';
import { connection } from '@/api/connection';
import type {
  Detail,
  EntryData,
  Facets,
  FormatInfo,
  Instrument,
  Me,
  Member,
  Metadata,
  Page,
  ProjectInfo,
  Suggestion,
  TokenInfo,
} from '@/api/types';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // The server's "no" is final; a lost connection is tried again when the connection store says it is back.
      retry: (count, error) => error instanceof Away && count < 2,
      retryDelay: (attempt) => 500 * 2 ** attempt,
      refetchOnWindowFocus: false,
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
});

let wasAway = false;
connection.subscribe(() => {
  const { away } = connection.state();
  if (wasAway && !away) void queryClient.invalidateQueries();
  wasAway = away;
});

export const isProblem = (error: unknown, status: number): boolean =>
  error instanceof Problem && error.status === status;

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => api.get<Me>('/me', {}, signal),
  staleTime: Number.POSITIVE_INFINITY,
});

/** The person signed in; only used below the page that made sure there is one. */
export function useMe(): Me {
  const { data } = useQuery(meQuery);
  if (!data) throw new Error('nobody is signed in');
  return data;
}

const list = async <T>(path: string, signal: AbortSignal) =>
  (await api.get<{ items: T[] }>(path, {}, signal)).items;

export const PAGE_SIZE = 60;

export const listQuery = (params: Params) =>
  infiniteQueryOptions({
    queryKey: ['measurements', params],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page>('/measurements', { ...params, limit: PAGE_SIZE, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });

export const facetsQuery = (params: Params) =>
  queryOptions({
    queryKey: ['facets', params],
    queryFn: ({ signal }) => api.get<Facets>('/facets', params, signal),
    placeholderData: keepPreviousData,
  });

export const suggestQuery = (q: string) =>
  queryOptions({
    queryKey: ['suggest', q],
    queryFn: async ({ signal }) => (await api.get<{ items: Suggestion[] }>('/suggest', { q }, signal)).items,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });

export const measurementQuery = (uid: string) =>
  queryOptions({
    queryKey: ['measurement', uid],
    queryFn: ({ signal }) => api.get<Detail>(`/measurements/${uid}`, {}, signal),
  });

export const dataQuery = (uid: string, entry: string, params: Params) =>
  queryOptions({
    queryKey: ['data', uid, entry, params],
    queryFn: ({ signal }) =>
      api.get<EntryData>(`/measurements/${uid}/entries/${encodeURIComponent(entry)}/data`, params, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 120_000,
  });

export const metadataQuery = (uid: string) =>
  queryOptions({
    queryKey: ['metadata', uid],
    queryFn: ({ signal }) => api.get<Metadata>(`/measurements/${uid}/metadata`, {}, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const instrumentsQuery = queryOptions({
  queryKey: ['instruments'],
  queryFn: ({ signal }) => list<Instrument>('/instruments', signal),
  refetchInterval: 20_000,
});

export const instrumentQuery = (slug: string) =>
  queryOptions({
    queryKey: ['instruments', slug],
    queryFn: ({ signal }) => api.get<Instrument>(`/instruments/${slug}`, {}, signal),
    refetchInterval: 10_000,
  });

export const projectsQuery = queryOptions({
  queryKey: ['projects'],
  queryFn: ({ signal }) => list<ProjectInfo>('/projects', signal),
});

export const membersQuery = (slug: string) =>
  queryOptions({
    queryKey: ['projects', slug, 'members'],
    queryFn: ({ signal }) => list<Member>(`/projects/${slug}/members`, signal),
  });

export const tokensQuery = queryOptions({
  queryKey: ['tokens'],
  queryFn: ({ signal }) => list<TokenInfo>('/tokens', signal),
});

export const formatsQuery = queryOptions({
  queryKey: ['formats'],
  queryFn: ({ signal }) => list<FormatInfo>('/formats', signal),
  staleTime: Number.POSITIVE_INFINITY,
});
