import { SegmentedControl, Skeleton, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { metadataQuery } from '@/api/queries';
import type { Detail, EntryInfo } from '@/api/types';
import { flatten, matches } from '@/lib/flatten';
import { formatQuantity } from '@/lib/numbers';
import { conditionText } from '@/pages/measurement/Conditions';
import classes from '@/pages/measurement/Measurement.module.css';
import { Failure } from '@/parts/States';

const MOST_LINES = 400;

/** All metadata, searchable: the mapped names with their values, and the file's own words verbatim. */
export function Metadata({ data, entry }: { data: Detail; entry: EntryInfo }) {
  const { t } = useTranslation();
  const [query, setQuery] = useState('');
  const [kind, setKind] = useState<'mapped' | 'original'>(entry.conditions.length ? 'mapped' : 'original');
  const asked = useDeferredValue(query.trim());
  return (
    <section className={classes.section} aria-label={t('metadata.title')}>
      <div className={classes.sectionHead}>
        <h2>{t('metadata.title')}</h2>
        <div className={classes.tools}>
          <TextInput
            size="xs"
            w={220}
            placeholder={t('metadata.search')}
            aria-label={t('metadata.search')}
            value={query}
            onChange={(event) => setQuery(event.currentTarget.value)}
          />
          <SegmentedControl
            aria-label={t('metadata.kind')}
            value={kind}
            onChange={(value) => setKind(value as typeof kind)}
            data={[
              { value: 'mapped', label: t('metadata.mapped') },
              { value: 'original', label: t('metadata.original') },
            ]}
          />
        </div>
      </div>
      <div className={classes.lines} tabIndex={0}>
        {kind === 'mapped' ? (
          <Mapped entry={entry} query={asked} />
        ) : (
          <Original data={data} entry={entry} query={asked} />
        )}
      </div>
    </section>
  );
}

function Mapped({ entry, query }: { entry: EntryInfo; query: string }) {
  const { t, i18n } = useTranslation();
  const rows = entry.conditions.filter((c) =>
    matches({ path: `${c.name} ${c.title} ${c.title_ja}`, value: conditionText(c) }, query),
  );
  if (!rows.length) return <p className="muted">{t('metadata.nothing')}</p>;
  return (
    <table className={`${classes.table} ${classes.fixed}`}>
      <thead>
        <tr>
          <th style={{ width: '34%' }}>{t('metadata.name')}</th>
          <th style={{ width: '33%' }}>{t('metadata.asGiven')}</th>
          <th>{t('metadata.si')}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((c) => (
          <tr key={c.name}>
            <td>
              {i18n.language === 'ja' ? c.title_ja : c.title} <code className={classes.name}>{c.name}</code>
            </td>
            <td>{conditionText(c)}</td>
            <td className="muted">{c.si === null ? '' : formatQuantity(c.si, c.si_unit)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Original({ data, entry, query }: { data: Detail; entry: EntryInfo; query: string }) {
  const { t } = useTranslation();
  const { data: metadata, error } = useQuery(metadataQuery(data.uid));
  const lines = useMemo(
    () =>
      metadata ? [...flatten(metadata.measurement), ...flatten(metadata.entries[entry.name] ?? {})] : [],
    [metadata, entry.name],
  );
  if (error) return <Failure error={error} />;
  if (!metadata) return <Skeleton h={160} />;
  const found = lines.filter((line) => matches(line, query));
  if (!found.length) return <p className="muted">{t('metadata.nothing')}</p>;
  return (
    <>
      <table className={`${classes.table} ${classes.fixed}`}>
        <thead>
          <tr>
            <th style={{ width: '46%' }}>{t('metadata.originalName')}</th>
            <th>{t('metadata.value')}</th>
          </tr>
        </thead>
        <tbody>
          {found.slice(0, MOST_LINES).map((line, k) => (
            <tr key={`${line.path}#${k}`}>
              <td className="muted">{line.path}</td>
              <td>{line.value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {found.length > MOST_LINES && (
        <p className="muted">{t('metadata.more', { count: found.length - MOST_LINES })}</p>
      )}
    </>
  );
}
