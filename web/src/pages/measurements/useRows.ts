import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { api, type Params } from '@/api/client';
import { live } from '@/api/live';
import { mergeFirst, type Pages, replaceRows } from '@/api/merge';
import { listQuery, PAGE_SIZE } from '@/api/queries';
import type { Detail, Page, Row } from '@/api/types';
import { DEFAULT_SORT } from '@/lib/urlstate';

/** More rows than this of one batch are not fetched one by one; they come when the list is loaded again. */
const MOST_SINGLE = 12;

/** The rows of the list, page after page, kept true by the event stream. */
export function useRows(params: Params) {
  const client = useQueryClient();
  const query = useInfiniteQuery(listQuery(params));
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const key = JSON.stringify(params);

  useEffect(() => {
    setFresh(new Set());
    let busy = false;
    let again = false;
    const wanted = new Set<string>();
    const refresh = async () => {
      if (busy) {
        again = true;
        return;
      }
      busy = true;
      const uids = [...wanted];
      wanted.clear();
      const now = JSON.parse(key) as Params;
      const queryKey = listQuery(now).queryKey;
      try {
        const first = await api.get<Page>('/measurements', { ...now, limit: PAGE_SIZE });
        const pages = client.getQueryData<Pages>(queryKey);
        if (pages && now.sort === DEFAULT_SORT) {
          const merged = mergeFirst(pages, first);
          client.setQueryData(queryKey, merged.pages);
          if (merged.fresh.length) setFresh((old) => new Set([...old, ...merged.fresh]));
        } else if (pages) {
          client.setQueryData(queryKey, replaceRows(pages, first.items));
        }
        const covered = new Set(first.items.map((row) => row.uid));
        const shown = new Set(pages?.pages.flatMap((page) => page.items.map((row) => row.uid)));
        const rest = uids.filter((uid) => shown.has(uid) && !covered.has(uid)).slice(0, MOST_SINGLE);
        const rows: Row[] = await Promise.all(rest.map((uid) => api.get<Detail>(`/measurements/${uid}`)));
        if (rows.length) client.setQueryData<Pages>(queryKey, (old) => old && replaceRows(old, rows));
      } catch {
        // The connection's banner says what is the matter; the list is loaded anew when it is back.
      }
      busy = false;
      if (again) {
        again = false;
        void refresh();
      }
    };
    return live.subscribe((events) => {
      for (const event of events) if (event.kind === 'measurement') wanted.add(event.uid);
      if (wanted.size) void refresh();
    });
  }, [client, key]);

  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  return { ...query, rows, fresh, first: query.data?.pages[0] };
}
