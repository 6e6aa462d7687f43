import { Button } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { useQueries } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { measurementQuery } from '@/api/queries';
import { formatDate } from '@/lib/time';
import { type PlotState, readPlot, writePlot } from '@/lib/urlstate';
import { conditionText } from '@/pages/measurement/Conditions';
import classes from '@/pages/measurement/Measurement.module.css';
import { Technique } from '@/parts/Bits';
import { Failure, Message, PageSkeleton } from '@/parts/States';
import { PlotPanel } from '@/plot/PlotPanel';

const MOST = 20;

/** Several measurements in one plot, and their conditions side by side; the URL names them. */
export default function Compare() {
  const { t, i18n } = useTranslation();
  useDocumentTitle(t('title.page', { page: t('compare.title') }));
  const [search, setSearch] = useSearchParams();
  const uids = useMemo(
    () => [...new Set((search.get('m') ?? '').split(',').filter(Boolean))].slice(0, MOST),
    [search],
  );
  const state = useMemo(() => readPlot(search), [search]);
  const change = useCallback(
    (next: Partial<PlotState>) => setSearch((old) => writePlot(old, next), { replace: true }),
    [setSearch],
  );
  const found = useQueries({ queries: uids.map((uid) => measurementQuery(uid)) });
  const details = found.flatMap((f) => (f.data ? [f.data] : []));
  const stamp = details.map((d) => d.uid + d.state).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamp says when the list is another one
  const drawable = useMemo(() => details.filter((d) => d.entry_list.length > 0), [stamp]);
  const others = useMemo(() => drawable.slice(1), [drawable]);
  const main = drawable[0];
  if (uids.length === 0) {
    return (
      <Message title={t('compare.none')} text={t('compare.noneText')}>
        <Button component={Link} to="/measurements" variant="default">
          {t('nav.measurements')}
        </Button>
      </Message>
    );
  }
  const failed = found.find((f) => f.error && !f.data);
  if (found.some((f) => f.isPending)) return <PageSkeleton />;
  if (!main)
    return failed ? (
      <Failure error={failed.error} />
    ) : (
      <Message title={t('compare.nothing')} text={t('compare.nothingText')} />
    );
  const drop = (uid: string) =>
    setSearch((old) => {
      const next = new URLSearchParams(old);
      next.set('m', uids.filter((u) => u !== uid).join(','));
      return next;
    });
  const names = (main.entry_list[0]?.conditions ?? []).filter((c) => c.main).slice(0, 6);
  return (
    <div className={classes.page}>
      <h1 className={`${classes.big} ${classes.heading}`}>
        {t('compare.heading', { count: drawable.length })}
      </h1>
      {found.length > drawable.length && (
        <p className={classes.missing}>{t('compare.left', { count: found.length - drawable.length })}</p>
      )}
      <PlotPanel main={main} others={others} state={state} change={change} height={500} />
      <section className={classes.section} aria-label={t('measurement.conditions')}>
        <h2>{t('measurement.conditions')}</h2>
        <div className={classes.lines} tabIndex={0}>
          <table className={`${classes.table} ${classes.roomy}`}>
            <thead>
              <tr>
                <th>{t('measurement.title')}</th>
                <th>{t('facets.technique')}</th>
                <th>{t('measurement.sample')}</th>
                <th>{t('measurement.measured')}</th>
                {names.map((c) => (
                  <th key={c.name}>{i18n.language === 'ja' ? c.title_ja : c.title}</th>
                ))}
                <th aria-label={t('compare.drop')} />
              </tr>
            </thead>
            <tbody>
              {drawable.map((d) => (
                <tr key={d.uid}>
                  <td>
                    <Link to={`/measurements/${d.uid}`}>{d.title}</Link>
                  </td>
                  <td>
                    <Technique technique={d.technique} short={d.technique_short} />
                  </td>
                  <td>{d.sample}</td>
                  <td className="num">{formatDate(d.measured_at)}</td>
                  {names.map((c) => {
                    const own = d.entry_list[0]?.conditions.find((o) => o.name === c.name);
                    return <td key={c.name}>{own ? conditionText(own) : ''}</td>;
                  })}
                  <td className={classes.right}>
                    <Button variant="subtle" size="compact-xs" onClick={() => drop(d.uid)}>
                      {t('compare.drop')}
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
    </div>
  );
}
