import { ActionIcon, Tooltip } from '@mantine/core';
import { IconAlertTriangle, IconDownload, IconPlus } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { apiUrl } from '@/api/client';
import type { Detail, State } from '@/api/types';
import { formatBytes, formatNumber } from '@/lib/numbers';
import { formatDate } from '@/lib/time';
import type { PlotState } from '@/lib/urlstate';
import classes from '@/pages/measurement/Measurement.module.css';
import { Copy, StateMark, Technique, Thumbnail, When } from '@/parts/Bits';

function Section({ title, count, children }: { title: string; count?: number; children: ReactNode }) {
  return (
    <section className={classes.section} aria-label={title}>
      <h2>
        {title} {count !== undefined && <span className={classes.count}>{count}</span>}
      </h2>
      {children}
    </section>
  );
}

export function Warnings({ data }: { data: Detail }) {
  const { t } = useTranslation();
  if (!data.warning_list.length) return null;
  return (
    <Section title={t('measurement.warnings')} count={data.warning_list.length}>
      <ul className={classes.warnings}>
        {data.warning_list.map((text) => (
          <li key={text}>
            <IconAlertTriangle size={15} aria-hidden /> {text}
          </li>
        ))}
      </ul>
    </Section>
  );
}

export function Provenance({ data }: { data: Detail }) {
  const { t } = useTranslation();
  if (!data.provenance.length) return null;
  return (
    <Section title={t('provenance.title')}>
      <ol className={classes.steps}>
        {data.provenance.map((step) => (
          <li key={step.step} className={classes.step}>
            <h3>{t(`provenance.${step.step}`)}</h3>
            <div>{step.who}</div>
            {step.at && <div className="muted num">{formatDate(step.at, true)}</div>}
            <dl>
              {Object.entries(step.detail).map(([key, value]) => (
                <DetailLine key={key} name={key} value={value} />
              ))}
            </dl>
          </li>
        ))}
      </ol>
    </Section>
  );
}

function DetailLine({ name, value }: { name: string; value: string | number }) {
  const { t } = useTranslation();
  const hash = typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
  const text = typeof value === 'number' ? formatNumber(value, 4) : value;
  return (
    <>
      <dt>{t(`provenance.key.${name}`, name.replaceAll('_', ' '))}</dt>
      <dd title={text} className={hash ? 'mono' : ''}>
        {hash ? text.slice(0, 12) : name === 'bytes' && typeof value === 'number' ? formatBytes(value) : text}
      </dd>
    </>
  );
}

export function Files({ data }: { data: Detail }) {
  const { t } = useTranslation();
  return (
    <Section title={t('files.title')} count={data.raw_files.length}>
      <div className={classes.lines} tabIndex={0}>
        <table className={classes.table}>
          <thead>
            <tr>
              <th>{t('files.name')}</th>
              <th>{t('files.modified')}</th>
              <th>{t('files.hash')}</th>
              <th className={classes.right}>{t('files.size')}</th>
              <th className={classes.right} aria-label={t('measurement.download')} />
            </tr>
          </thead>
          <tbody>
            {data.raw_files.map((file) => (
              <tr key={file.name}>
                <td>{file.name}</td>
                <td className="muted num">{formatDate(file.modified_at)}</td>
                <td>
                  <code className="muted">{file.sha256.slice(0, 12)}</code>{' '}
                  <Copy value={file.sha256} label={t('files.copyHash')} />
                </td>
                <td className={classes.right}>{formatBytes(file.size)}</td>
                <td className={classes.right}>
                  <ActionIcon
                    component="a"
                    size="sm"
                    href={apiUrl(`/measurements/${data.uid}/raw/${encodeURI(file.name)}`)}
                    aria-label={t('files.download', { name: file.name })}
                  >
                    <IconDownload size={15} />
                  </ActionIcon>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

/** Says of a file of a set where the whole is: lists show that instead. */
export function PartOf({ data }: { data: Detail }) {
  const { t } = useTranslation();
  if (!data.part_of) return null;
  return (
    <p role="note">
      {t('part.text')} <Link to={`/measurements/${data.part_of}`}>{t('part.whole')}</Link>
    </p>
  );
}

export function Versions({ data }: { data: Detail }) {
  const { t } = useTranslation();
  if (data.versions.length < 2) return null;
  return (
    <Section title={t('versions.title')} count={data.versions.length}>
      <table className={classes.table}>
        <tbody>
          {data.versions.map((version) => (
            <tr key={version.uid}>
              <td>
                {version.uid === data.uid ? (
                  <b>{t('versions.this', { number: version.version })}</b>
                ) : (
                  <Link to={`/measurements/${version.uid}`}>
                    {t('versions.number', { number: version.version })}
                  </Link>
                )}
              </td>
              <td className="num">{formatDate(version.received_at)}</td>
              <td>
                <StateMark row={{ state: version.state as State, warnings: 0 }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

export function Related({
  data,
  state,
  change,
}: {
  data: Detail;
  state: PlotState;
  change: (c: Partial<PlotState>) => void;
}) {
  const { t } = useTranslation();
  if (!data.related.length) return null;
  return (
    <Section title={t('related.title', { sample: data.sample })} count={data.related.length}>
      <ul className={classes.related}>
        {data.related.map((row) => (
          <li key={row.uid}>
            <Thumbnail path={row.thumbnail} technique={row.technique} width={76} />
            <div className={classes.relatedText}>
              <Link to={`/measurements/${row.uid}`} className="cut">
                {row.title}
              </Link>
              <span className="muted">
                <Technique technique={row.technique} short={row.technique_short} />{' '}
                <When at={row.received_at} />
              </span>
            </div>
            {row.technique === data.technique && !state.over.includes(row.uid) && (
              <Tooltip label={t('measurement.overlay')}>
                <ActionIcon
                  size="sm"
                  aria-label={t('related.overlay', { title: row.title })}
                  onClick={() => change({ over: [...state.over, row.uid] })}
                >
                  <IconPlus size={15} />
                </ActionIcon>
              </Tooltip>
            )}
          </li>
        ))}
      </ul>
    </Section>
  );
}
