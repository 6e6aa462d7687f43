import { Checkbox, Skeleton } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import type { Row } from '@/api/types';
import classes from '@/pages/measurements/List.module.css';
import { StateMark, Technique, Thumbnail, When } from '@/parts/Bits';

const ROW_HEIGHT = 58;

interface Props {
  rows: Row[];
  fresh: ReadonlySet<string>;
  total: number;
  dim: boolean;
  more: boolean;
  loading: boolean;
  loadMore: () => unknown;
  selected: ReadonlySet<string>;
  setSelected: (next: ReadonlySet<string>) => void;
}

export function List({ rows, fresh, total, dim, more, loading, loadMore, selected, setSelected }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const scroller = useRef<HTMLDivElement>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const virtual = useVirtualizer({
    count: rows.length + (more ? 3 : 0),
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 10,
    getItemKey: (index) => rows[index]?.uid ?? `more-${index}`,
  });
  const items = virtual.getVirtualItems();

  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loading && last >= rows.length - 20) void loadMore();
  }, [more, loading, last, rows.length, loadMore]);

  // What a person looks at stays in place when rows come in above it.
  const top = useRef<string | undefined>(undefined);
  useLayoutEffect(() => {
    const box = scroller.current;
    const before = top.current;
    top.current = rows[0]?.uid;
    if (!box || !before || box.scrollTop < ROW_HEIGHT / 2) return;
    const moved = rows.findIndex((row) => row.uid === before);
    if (moved > 0) box.scrollTop += moved * ROW_HEIGHT;
  }, [rows]);

  const at = cursor ? rows.findIndex((row) => row.uid === cursor) : -1;
  const go = (step: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + step));
    const row = rows[next];
    if (!row) return;
    setCursor(row.uid);
    virtual.scrollToIndex(next);
    requestAnimationFrame(() =>
      scroller.current?.querySelector<HTMLElement>(`[data-uid="${row.uid}"]`)?.focus(),
    );
  };
  const toggle = (uid: string) => {
    const next = new Set(selected);
    if (!next.delete(uid)) next.add(uid);
    setSelected(next);
  };
  useHotkeys([
    ['j', () => go(1)],
    ['k', () => go(-1)],
    ['ArrowDown', () => go(1)],
    ['ArrowUp', () => go(-1)],
    ['x', () => cursor && toggle(cursor)],
    ['c', () => selected.size > 1 && navigate(`/compare?m=${[...selected].join(',')}`)],
    ['Escape', () => setSelected(new Set())],
  ]);

  return (
    <div ref={scroller} className={classes.scroller} data-dim={dim || undefined}>
      <div
        role="grid"
        aria-label={t('nav.measurements')}
        aria-rowcount={total}
        className={classes.grid}
        style={{ height: virtual.getTotalSize() }}
      >
        {items.map((item) => {
          const row = rows[item.index];
          const style = { transform: `translateY(${item.start}px)` };
          if (!row) {
            return (
              <div key={item.key} role="row" className={classes.row} style={style}>
                <span role="gridcell" className={classes.wide} aria-label={t('common.loading')}>
                  <Skeleton h={12} w="40%" />
                </span>
              </div>
            );
          }
          return (
            <OneRow
              key={item.key}
              row={row}
              index={item.index}
              fresh={fresh.has(row.uid)}
              selected={selected.has(row.uid)}
              current={cursor ? cursor === row.uid : item.index === 0}
              style={style}
              toggle={toggle}
              focus={setCursor}
              open={() => navigate(`/measurements/${row.uid}`)}
            />
          );
        })}
      </div>
    </div>
  );
}

function OneRow(props: {
  row: Row;
  index: number;
  fresh: boolean;
  selected: boolean;
  current: boolean;
  style: { transform: string };
  toggle: (uid: string) => void;
  focus: (uid: string) => void;
  open: () => void;
}) {
  const { row, index, fresh, selected, current, style, toggle, focus, open } = props;
  const { t } = useTranslation();
  const who = row.operator || row.by;
  return (
    <div
      role="row"
      aria-rowindex={index + 1}
      aria-selected={selected}
      data-uid={row.uid}
      data-fresh={fresh || undefined}
      className={classes.row}
      style={style}
      tabIndex={current ? 0 : -1}
      onFocus={(event) => event.target === event.currentTarget && focus(row.uid)}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && event.target === event.currentTarget) open();
      }}
      onClick={(event) => {
        if (!(event.target as HTMLElement).closest('a, input, label')) open();
      }}
    >
      <span role="gridcell" className={classes.check}>
        <Checkbox
          tabIndex={-1}
          checked={selected}
          onChange={() => toggle(row.uid)}
          aria-label={t('list.select', { title: row.title })}
        />
      </span>
      <span role="gridcell" className={classes.thumb}>
        <Thumbnail path={row.thumbnail} technique={row.technique} />
      </span>
      <span role="gridcell" className={classes.main}>
        <Link to={`/measurements/${row.uid}`} tabIndex={-1} className={`${classes.name} cut`}>
          {row.title}
        </Link>
        <span className={`${classes.second} cut`}>
          <span className={classes.phone}>
            <Technique technique={row.technique} short={row.technique_short} />
          </span>
          {row.sample && <b>{row.sample}</b>}
          {row.entries > 1 && <span>{t('list.entries', { count: row.entries })}</span>}
          {row.version > 1 && <span>{t('list.version', { number: row.version })}</span>}
          <span className={classes.narrow}>{row.instrument?.name ?? t('list.uploaded')}</span>
        </span>
      </span>
      <span role="gridcell" className={classes.technique}>
        <Technique technique={row.technique} short={row.technique_short} />
      </span>
      <span role="gridcell" className={`${classes.from} cut`}>
        <span className="cut">{row.instrument?.name ?? t('list.uploaded')}</span>
        {who && <span className={`${classes.second} cut`}>{who}</span>}
      </span>
      <span role="gridcell" className={classes.when}>
        <When at={row.received_at} />
        {fresh && row.state === 'translated' && row.warnings === 0 ? (
          <span className={classes.new}>{t('list.new')}</span>
        ) : (
          <StateMark row={row} />
        )}
      </span>
    </div>
  );
}

export function ListSkeleton() {
  const { t } = useTranslation();
  return (
    <div className={classes.scroller} role="status" aria-busy="true" aria-label={t('common.loading')}>
      {Array.from({ length: 12 }, (_, k) => (
        <div key={k} className={classes.row} style={{ position: 'static' }}>
          <span />
          <Skeleton h={36} w={96} />
          <span>
            <Skeleton h={12} w="55%" mb={8} />
            <Skeleton h={10} w="30%" />
          </span>
          <Skeleton h={12} w={60} />
          <Skeleton h={12} w={110} />
          <Skeleton h={12} w={60} />
        </div>
      ))}
    </div>
  );
}
