import type { InfiniteData } from '@tanstack/react-query';
import type { Page, Row } from '@/api/types';

export type Pages = InfiniteData<Page, string | null>;

/**
 * Put a newly fetched first page over the loaded ones: rows that are known are replaced where they stand, rows
 * that are new go to the top in the server's order. Nothing that is shown moves or vanishes otherwise.
 */
export function mergeFirst(pages: Pages, first: Page): { pages: Pages; fresh: string[] } {
  const known = new Set(pages.pages.flatMap((page) => page.items.map((row) => row.uid)));
  const fresh = first.items.filter((row) => !known.has(row.uid));
  const replaced = replaceRows(pages, first.items);
  const merged = replaced.pages.map((page, k) => ({
    ...page,
    total: first.total,
    total_is_exact: first.total_is_exact,
    items: k === 0 ? [...fresh, ...page.items] : page.items,
  }));
  return { pages: { ...replaced, pages: merged }, fresh: fresh.map((row) => row.uid) };
}

export function replaceRows(pages: Pages, rows: Row[]): Pages {
  const by = new Map(rows.map((row) => [row.uid, row]));
  return {
    ...pages,
    pages: pages.pages.map((page) => ({ ...page, items: page.items.map((row) => by.get(row.uid) ?? row) })),
  };
}
