import { lazy, Suspense, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Detail } from '@/api/types';
import type { PlotState } from '@/lib/urlstate';
import { inLanguage } from '@/lib/vocabulary';
import { PageSkeleton } from '@/parts/States';
import { CurvesPanel } from '@/plot/CurvesPanel';
import { type Choice, choose } from '@/plot/choices';
import classes from '@/plot/PlotPanel.module.css';
import { type Change, Entries, Export, ViewSwitch } from '@/plot/PlotTools';

const MapPanel = lazy(() => import('@/plot/MapPanel'));
const DataTable = lazy(() => import('@/plot/DataTable'));

interface Props {
  main: Detail;
  /** Measurements laid over the main one. */
  others: Detail[];
  state: PlotState;
  change: Change;
  height?: number;
}

/** The hero of a measurement's page: its entries, as curves, an image or a table. */
export function PlotPanel({ main, others, state, change, height = 460 }: Props) {
  const { t, i18n } = useTranslation();
  const found =
    main.entry_list.find((e) => e.name === state.entry) ??
    main.entry_list.find((e) => e.name === main.default_entry) ??
    main.entry_list[0];
  const entry = useMemo(() => found && inLanguage(found, i18n.language), [found, i18n.language]);
  const choice = useMemo<Choice>(
    () => (entry ? choose(entry, state.x, state.y) : { kind: 'none' }),
    [entry, state.x, state.y],
  );
  if (!entry) return null;
  return (
    <section className={classes.panel} aria-label={t('plot.section')}>
      {main.entry_list.length > 1 && (
        <Entries entries={main.entry_list} current={entry.name} change={change} />
      )}
      {state.view === 'table' ? (
        <Suspense fallback={<PageSkeleton />}>
          <div className={classes.toolbar}>
            <ViewSwitch state={state} change={change} />
            <Export main={main} entry={entry} />
          </div>
          <DataTable uid={main.uid} entry={entry} height={height} />
        </Suspense>
      ) : choice.kind === 'map' ? (
        <Suspense fallback={<PageSkeleton />}>
          <MapPanel
            uid={main.uid}
            entry={entry}
            choice={choice}
            state={state}
            change={change}
            tools={
              <>
                <ViewSwitch state={state} change={change} />
                <Export main={main} entry={entry} />
              </>
            }
          />
        </Suspense>
      ) : choice.kind === 'curve' ? (
        <CurvesPanel
          main={main}
          others={others}
          entry={entry}
          choice={choice}
          state={state}
          change={change}
          height={height}
        />
      ) : (
        <p className={classes.none}>{t('plot.none')}</p>
      )}
    </section>
  );
}
