import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { createColumnHelper, getCoreRowModel, useReactTable } from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { dataQuery } from '@/api/queries';
import type { EntryInfo } from '@/api/types';
import { decodeNumbers } from '@/lib/arrays';
import { axisLabel, formatNumber } from '@/lib/numbers';
import { Failure } from '@/parts/States';
import classes from '@/plot/DataTable.module.css';

const MOST_ROWS = 100_000;
const ROW_HEIGHT = 26;
const COLUMN_WIDTH = 150;
const column = createColumnHelper<number>();

/** The numbers themselves: one-dimensional axes and signals as columns, a row a point. */
export default function DataTable({ uid, entry, height }: { uid: string; entry: EntryInfo; height: number }) {
  const { t } = useTranslation();
  const main = entry.signals.find((s) => s.name === entry.default) ?? entry.signals[0];
  const along = main?.axes[0] ?? '';
  const flat = main?.axes.length === 1;
  const names = useMemo(
    () => [
      ...entry.axes.filter((a) => a.name === along && !entry.is_table).map((a) => a.name),
      ...entry.signals.filter((s) => s.axes.length === 1 && s.axes[0] === along).map((s) => s.name),
    ],
    [entry, along],
  );
  const { data, error, isPending } = useQuery({
    ...dataQuery(uid, entry.name, { names: names.join(','), points: MOST_ROWS }),
    enabled: flat,
  });
  const cells = useMemo(
    () =>
      (data?.arrays ?? []).map((array) => {
        if (array.dtype === 'text') return { array, at: (i: number) => array.values?.[i] ?? '' };
        const numbers = decodeNumbers(array);
        const at =
          array.dtype === 'time'
            ? (i: number) => new Date(numbers[i] as number).toISOString().slice(0, 23).replace('T', ' ')
            : (i: number) => formatNumber(numbers[i] as number, 7);
        return { array, at };
      }),
    [data],
  );
  const rows = useMemo(() => Array.from({ length: data?.arrays[0]?.shape[0] ?? 0 }, (_, i) => i), [data]);
  const columns = useMemo(
    () =>
      cells.map(({ array, at }) =>
        column.accessor((i) => at(i), {
          id: array.name,
          header: axisLabel(array.label, array.dtype === '<f8' ? array.unit : null),
        }),
      ),
    [cells],
  );
  const table = useReactTable({ data: rows, columns, getCoreRowModel: getCoreRowModel() });
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 20,
  });
  if (!flat) return <p className={classes.note}>{t('table.notFlat')}</p>;
  if (error) return <Failure error={error} />;
  if (isPending) return <Skeleton h={height} />;
  const list = table.getRowModel().rows;
  const template = {
    gridTemplateColumns: `64px repeat(${cells.length}, minmax(${COLUMN_WIDTH}px, 1fr))`,
    minWidth: 64 + cells.length * COLUMN_WIDTH,
  };
  return (
    <>
      <div
        ref={scroller}
        className={classes.table}
        style={{ height }}
        tabIndex={0}
        role="table"
        aria-rowcount={rows.length + 1}
        aria-label={t('table.label', { title: entry.title || entry.name })}
      >
        {table.getHeaderGroups().map((group) => (
          <div key={group.id} role="row" className={classes.head} style={template}>
            <span role="columnheader">#</span>
            {group.headers.map((header) => (
              <span
                key={header.id}
                role="columnheader"
                className="cut"
                title={String(header.column.columnDef.header)}
              >
                {String(header.column.columnDef.header)}
              </span>
            ))}
          </div>
        ))}
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map((item) => (
            <div
              key={item.key}
              role="row"
              aria-rowindex={item.index + 2}
              className={classes.row}
              style={{ ...template, transform: `translateY(${item.start}px)` }}
            >
              <span role="cell" className={classes.number}>
                {item.index + 1}
              </span>
              {list[item.index]?.getVisibleCells().map((cell) => (
                <span key={cell.id} role="cell" className="cut">
                  {String(cell.getValue())}
                </span>
              ))}
            </div>
          ))}
        </div>
      </div>
      {data.decimated && (
        <p className={classes.note}>
          {t('table.thinned', { shown: formatNumber(rows.length), all: formatNumber(data.total_points) })}
        </p>
      )}
    </>
  );
}
