import { Button } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { IconRefresh } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { api } from '@/api/client';
import { live } from '@/api/live';
import { listQuery, measurementQuery, queryClient, useMe } from '@/api/queries';
import type { Row } from '@/api/types';
import classes from '@/pages/NotTranslated.module.css';
import { When } from '@/parts/Bits';
import { Failure, Message, PageSkeleton } from '@/parts/States';
import { toast } from '@/parts/Toasts';

const PARAMS = { state: 'not_translated', sort: '-received_at' };
const FEW = 8;

/** What could not be read, by reason: why, what to do, and to try all of a kind again. */
export default function NotTranslated() {
  const { t } = useTranslation();
  useDocumentTitle(t('title.page', { page: t('nav.notTranslated') }));
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useInfiniteQuery(
    listQuery(PARAMS),
  );
  useEffect(
    () =>
      live.subscribe((events) => {
        if (events.some((e) => e.kind === 'measurement'))
          void queryClient.invalidateQueries({ queryKey: listQuery(PARAMS).queryKey });
      }),
    [],
  );
  const groups = useMemo(() => {
    const by = new Map<string, Row[]>();
    for (const row of data?.pages.flatMap((page) => page.items) ?? []) {
      const kind = row.error_kind ?? 'unknown';
      by.set(kind, [...(by.get(kind) ?? []), row]);
    }
    return [...by].sort((a, b) => b[1].length - a[1].length);
  }, [data]);
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <PageSkeleton />;
  if (!groups.length) return <Message title={t('failed.none')} text={t('failed.noneText')} />;
  return (
    <div className={classes.page}>
      <h1>{t('nav.notTranslated')}</h1>
      <p className="muted">{t('failed.intro')}</p>
      {groups.map(([kind, rows]) => (
        <Group key={kind} kind={kind} rows={rows} />
      ))}
      {hasNextPage && (
        <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {t('failed.loadMore')}
        </Button>
      )}
    </div>
  );
}

function Group({ kind, rows }: { kind: string; rows: Row[] }) {
  const { t, i18n } = useTranslation();
  const me = useMe();
  const [all, setAll] = useState(false);
  const [busy, setBusy] = useState(false);
  const { data: first } = useQuery(measurementQuery(rows[0]?.uid ?? ''));
  const advice =
    i18n.language === 'ja'
      ? (first?.translation?.advice_ja ?? first?.translation?.advice)
      : first?.translation?.advice;
  const mayRetry = me.projects.some((p) => p.role !== 'viewer');
  const retry = async () => {
    setBusy(true);
    try {
      const { waiting } = await api.post<{ waiting: number }>('/measurements/translate', {
        error_kind: kind,
      });
      toast({ message: t('failed.retrying', { count: waiting }) });
      await queryClient.invalidateQueries({ queryKey: ['measurements'] });
    } catch (error) {
      toast({ message: error instanceof Error ? error.message : String(error), bad: true });
    }
    setBusy(false);
  };
  const title = t(`errorKind.${kind}`, kind);
  return (
    <section className={classes.group} aria-label={title}>
      <div className={classes.head}>
        <div>
          <h2>
            {title} <span>{rows.length}</span>
          </h2>
          {advice && <p>{advice}</p>}
        </div>
        {mayRetry && (
          <Button
            variant="default"
            loading={busy}
            leftSection={<IconRefresh size={14} />}
            onClick={() => void retry()}
          >
            {t('failed.retryAll')}
          </Button>
        )}
      </div>
      <ul>
        {(all ? rows : rows.slice(0, FEW)).map((row) => (
          <li key={row.uid}>
            <Link to={`/measurements/${row.uid}`} className="cut">
              {row.title}
            </Link>
            <span className="cut muted">{row.instrument?.name ?? t('list.uploaded')}</span>
            <span className="muted">
              <When at={row.received_at} />
            </span>
          </li>
        ))}
      </ul>
      {rows.length > FEW && (
        <Button variant="subtle" size="compact-xs" onClick={() => setAll(!all)}>
          {all ? t('facets.fewer') : t('facets.more', { count: rows.length - FEW })}
        </Button>
      )}
    </section>
  );
}
