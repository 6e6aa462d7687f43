import { ActionIcon, Button, Drawer, Select, Tooltip } from '@mantine/core';
import { useDisclosure, useDocumentTitle, useMediaQuery } from '@mantine/hooks';
import { IconAdjustmentsHorizontal, IconSortAscending, IconSortDescending } from '@tabler/icons-react';
import { useCallback, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';
import { Problem } from '@/api/client';
import { formatNumber } from '@/lib/numbers';
import { filterParams, isFiltered, type ListState, readList, SORTS, writeList } from '@/lib/urlstate';
import { Chips } from '@/pages/measurements/Chips';
import { Facets } from '@/pages/measurements/Facets';
import { FirstSteps } from '@/pages/measurements/FirstSteps';
import { List, ListSkeleton } from '@/pages/measurements/List';
import classes from '@/pages/measurements/Measurements.module.css';
import { SelectionBar } from '@/pages/measurements/SelectionBar';
import { useRows } from '@/pages/measurements/useRows';
import { Failure, Message } from '@/parts/States';

export default function Measurements() {
  const { t } = useTranslation();
  useDocumentTitle(t('title.page', { page: t('nav.measurements') }));
  const [search, setSearch] = useSearchParams();
  const state = useMemo(() => readList(search), [search]);
  const change = useCallback(
    (next: ListState, replace = false) => setSearch(writeList(next), { replace }),
    [setSearch],
  );
  const params = useMemo(() => filterParams(state), [state]);
  const {
    rows,
    fresh,
    first,
    error,
    isPending,
    isPlaceholderData,
    hasNextPage,
    isFetchingNextPage,
    fetchNextPage,
    refetch,
  } = useRows(useMemo(() => ({ ...params, sort: state.sort }), [params, state.sort]));
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const wide = useMediaQuery('(min-width: 1000px)', true, { getInitialValueInEffect: false });
  const [drawer, { open, close }] = useDisclosure(false);

  const wrongQuery = error instanceof Problem && error.status === 422 ? error : null;
  const facets = <Facets state={state} params={params} change={change} />;
  const empty = first && !isPlaceholderData && rows.length === 0;
  if (empty && !isFiltered(state)) return <FirstSteps />;
  return (
    <div className={classes.layout}>
      {wide ? (
        <aside className={classes.facets} aria-label={t('facets.label')}>
          {facets}
        </aside>
      ) : (
        <Drawer
          opened={drawer}
          onClose={close}
          title={t('facets.label')}
          size={300}
          closeButtonProps={{ 'aria-label': t('common.close') }}
        >
          {facets}
        </Drawer>
      )}
      <section className={classes.results} aria-busy={isPending || isPlaceholderData}>
        <div className={classes.bar}>
          <h1 className={classes.title}>{t('nav.measurements')}</h1>
          <span className={classes.total} role="status">
            {first &&
              !wrongQuery &&
              t(first.total_is_exact ? 'list.total' : 'list.totalAbout', {
                count: first.total,
                text: formatNumber(first.total),
              })}
          </span>
          <Chips state={state} filters={first?.query.filters ?? []} params={params} change={change} />
          <div className={classes.tools}>
            {!wide && (
              <Button variant="default" leftSection={<IconAdjustmentsHorizontal size={15} />} onClick={open}>
                {t('facets.open')}
              </Button>
            )}
            <Sorting state={state} change={change} />
          </div>
        </div>
        {wrongQuery ? (
          <Message title={t('search.wrong')} text={wrongQuery.message} />
        ) : error && !first ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : isPending ? (
          <ListSkeleton />
        ) : empty ? (
          <Message title={t('list.nothing')} text={t('list.nothingText')}>
            <Button
              variant="default"
              onClick={() => change({ ...readList(new URLSearchParams()), sort: state.sort })}
            >
              {t('list.clearAll')}
            </Button>
          </Message>
        ) : (
          <List
            rows={rows}
            fresh={fresh}
            total={first?.total ?? rows.length}
            dim={isPlaceholderData}
            more={hasNextPage}
            loading={isFetchingNextPage}
            loadMore={fetchNextPage}
            selected={selected}
            setSelected={setSelected}
          />
        )}
        <SelectionBar selected={selected} clear={() => setSelected(new Set())} />
      </section>
    </div>
  );
}

function Sorting({ state, change }: { state: ListState; change: (next: ListState) => void }) {
  const { t } = useTranslation();
  const down = state.sort.startsWith('-');
  const key = state.sort.replace(/^-/, '');
  const Icon = down ? IconSortDescending : IconSortAscending;
  return (
    <>
      <Select
        size="xs"
        w={140}
        aria-label={t('sort.label')}
        allowDeselect={false}
        data={SORTS.map((value) => ({ value, label: t(`sort.${value}`) }))}
        value={key}
        onChange={(value) =>
          value &&
          change({ ...state, sort: `${value.endsWith('_at') ? '-' : ''}${value}` as ListState['sort'] })
        }
      />
      <Tooltip label={t(down ? 'sort.descending' : 'sort.ascending')}>
        <ActionIcon
          variant="default"
          size={30}
          aria-label={t(down ? 'sort.descending' : 'sort.ascending')}
          onClick={() => change({ ...state, sort: `${down ? '' : '-'}${key}` as ListState['sort'] })}
        >
          <Icon size={16} />
        </ActionIcon>
      </Tooltip>
    </>
  );
}
