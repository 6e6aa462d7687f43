import { Button, Menu } from '@mantine/core';
import { useDocumentTitle, useHotkeys } from '@mantine/hooks';
import { IconArrowLeft, IconDownload, IconPlus } from '@tabler/icons-react';
import { useQueries, useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router';
import { apiUrl } from '@/api/client';
import { measurementQuery } from '@/api/queries';
import type { Detail } from '@/api/types';
import { formatBytes } from '@/lib/numbers';
import { type PlotState, readPlot, writePlot } from '@/lib/urlstate';
import { Conditions } from '@/pages/measurement/Conditions';
import { EditableText, useCorrection } from '@/pages/measurement/EditableText';
import { Failed } from '@/pages/measurement/Failed';
import classes from '@/pages/measurement/Measurement.module.css';
import { Metadata } from '@/pages/measurement/Metadata';
import { OverlayPicker } from '@/pages/measurement/OverlayPicker';
import { Files, PartOf, Provenance, Related, Versions, Warnings } from '@/pages/measurement/Sections';
import { StateMark, Technique, When } from '@/parts/Bits';
import { Failure, Message, PageSkeleton } from '@/parts/States';
import { PlotPanel } from '@/plot/PlotPanel';

export default function Measurement() {
  const { uid = '' } = useParams();
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery(measurementQuery(uid));
  const [search, setSearch] = useSearchParams();
  const state = useMemo(() => readPlot(search), [search]);
  const change = useCallback(
    (next: Partial<PlotState>) => setSearch((old) => writePlot(old, next), { replace: true }),
    [setSearch],
  );
  const others = useQueries({ queries: state.over.map((other) => measurementQuery(other)) });
  const overlaid = others.flatMap((o) => (o.data ? [o.data] : []));
  const missing = others.filter((o) => o.error && !o.data).length;
  const stamp = overlaid.map((o) => o.uid + o.state).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamp says when the list is another one
  const stable = useMemo(() => overlaid, [stamp]);
  useDocumentTitle(t('title.page', { page: data?.title ?? t('nav.measurements') }));
  useHotkeys([['Escape', () => navigate(-1)]]);

  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <PageSkeleton />;
  const entry =
    data.entry_list.find((e) => e.name === state.entry) ??
    data.entry_list.find((e) => e.name === data.default_entry) ??
    data.entry_list[0];
  return (
    <div className={classes.page}>
      <Head data={data} state={state} change={change} />
      <PartOf data={data} />
      {data.state === 'not_translated' && !data.part_of && <Failed data={data} />}
      <div className={entry ? classes.columns : classes.alone}>
        <div className={classes.hero}>
          {entry ? (
            <PlotPanel main={data} others={stable} state={state} change={change} />
          ) : (
            data.state !== 'not_translated' && (
              <Message title={t(`measurement.${data.state}`)} text={t('measurement.comes')} />
            )
          )}
          {missing > 0 && (
            <p className={classes.missing}>{t('measurement.overlayMissing', { count: missing })}</p>
          )}
        </div>
        <Conditions data={data} entry={entry} />
      </div>
      <div className={classes.below}>
        <Warnings data={data} />
        {entry && <Metadata data={data} entry={entry} />}
        <Provenance data={data} />
        <Files data={data} />
        <Versions data={data} />
        <Related data={data} state={state} change={change} />
      </div>
    </div>
  );
}

function Head({
  data,
  state,
  change,
}: {
  data: Detail;
  state: PlotState;
  change: (c: Partial<PlotState>) => void;
}) {
  const { t } = useTranslation();
  const correct = useCorrection(data);
  const mayEdit = data.role !== 'viewer';
  const raw = data.raw_files.length === 1 ? data.raw_files[0] : null;
  const rawHref = raw
    ? `/measurements/${data.uid}/raw/${encodeURI(raw.name)}`
    : `/measurements/${data.uid}/raw.zip`;
  const size = data.raw_files.reduce((sum, f) => sum + f.size, 0);
  return (
    <header className={classes.head}>
      <Link to="/measurements" className={classes.back} aria-label={t('measurement.back')}>
        <IconArrowLeft size={18} aria-hidden />
      </Link>
      <div className={classes.what}>
        <EditableText
          value={data.title}
          label={t('measurement.title')}
          editable={mayEdit}
          big
          save={(title) => correct({ title })}
        />
        <div className={classes.facts}>
          <Technique technique={data.technique} short={data.technique_short} />
          <span className={classes.sample}>
            <span className="muted">{t('measurement.sample')}</span>
            <EditableText
              value={data.sample}
              label={t('measurement.sample')}
              empty={t('measurement.noSample')}
              editable={mayEdit}
              save={(sample) => correct({ sample })}
            />
          </span>
          {data.instrument && <Link to={`/instruments/${data.instrument.slug}`}>{data.instrument.name}</Link>}
          <When at={data.measured_at ?? data.received_at} />
          {data.state !== 'translated' && <StateMark row={data} />}
        </div>
      </div>
      <div className={classes.actions}>
        {data.entry_list.length > 0 && (
          <OverlayPicker data={data} chosen={state.over} change={(over) => change({ over })}>
            <Button variant="default" leftSection={<IconPlus size={14} />}>
              {t('measurement.overlay')}
            </Button>
          </OverlayPicker>
        )}
        <Menu position="bottom-end" width={260}>
          <Menu.Target>
            <Button leftSection={<IconDownload size={14} />}>{t('measurement.download')}</Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              component="a"
              href={apiUrl(rawHref)}
              rightSection={<span className="muted">{formatBytes(size)}</span>}
            >
              {t('measurement.rawFile', { count: data.raw_files.length })}
            </Menu.Item>
            {data.standard && (
              <Menu.Item
                component="a"
                href={apiUrl(`/measurements/${data.uid}/standard`)}
                rightSection={<span className="muted">{formatBytes(data.standard.size)}</span>}
              >
                {t('measurement.nexus')}
              </Menu.Item>
            )}
            {data.standard && (
              <Menu.Item component="a" href={apiUrl(`/measurements/${data.uid}/ro-crate.zip`)}>
                {t('measurement.crate')}
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      </div>
    </header>
  );
}
