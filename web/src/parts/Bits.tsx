import { ActionIcon, CopyButton, Tooltip } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconCopy, IconLoader2, IconProgressDown } from '@tabler/icons-react';
import type { CSSProperties } from 'react';
import { useTranslation } from 'react-i18next';
import type { Row } from '@/api/types';
import { techniqueColour } from '@/app/techniques';
import { formatAgo, formatDate } from '@/lib/time';
import classes from '@/parts/parts.module.css';

const colour = (technique: string) => ({ '--technique': techniqueColour(technique) }) as CSSProperties;

export function Technique({ technique, short }: { technique: string; short: string }) {
  if (!technique) return null;
  return (
    <span className={classes.technique} style={colour(technique)}>
      {short || technique}
    </span>
  );
}

/** The default plot in small, as it was drawn once at translation. */
export function Thumbnail({
  path,
  technique,
  width = 100,
}: {
  path: string;
  technique: string;
  width?: number;
}) {
  const height = (width * 50) / 122;
  if (path.startsWith('data:'))
    return <img className={classes.picture} src={path} width={width} height={height} alt="" />;
  return (
    <svg
      className={classes.thumb}
      style={colour(technique)}
      viewBox="-1 -1 122 50"
      width={width}
      height={height}
      aria-hidden="true"
    >
      {path ? (
        <path d={path} fill="none" stroke="currentColor" strokeWidth={1.4} strokeLinejoin="round" />
      ) : (
        <path d="M0 24h120" stroke="var(--z-line-strong)" strokeDasharray="2 5" fill="none" />
      )}
    </svg>
  );
}

/** What a row's state asks of the reader; a translated one without warnings asks nothing. */
export function StateMark({ row }: { row: Pick<Row, 'state' | 'warnings'> }) {
  const { t } = useTranslation();
  switch (row.state) {
    case 'not_translated':
      return (
        <span className={classes.state} data-kind="bad">
          <IconAlertTriangle size={14} aria-hidden /> {t('state.not_translated')}
        </span>
      );
    case 'waiting':
      return (
        <span className={classes.state}>
          <IconLoader2 size={14} aria-hidden /> {t('state.waiting')}
        </span>
      );
    case 'receiving':
      return (
        <span className={classes.state}>
          <IconProgressDown size={14} aria-hidden /> {t('state.receiving')}
        </span>
      );
    default:
      return row.warnings > 0 ? (
        <span className={classes.state} data-kind="warn">
          <IconAlertTriangle size={14} aria-hidden /> {t('state.warnings', { count: row.warnings })}
        </span>
      ) : null;
  }
}

export function When({ at }: { at: string | null | undefined }) {
  const { i18n } = useTranslation();
  if (!at) return null;
  return (
    <time dateTime={at} title={formatDate(at, true)} className="num">
      {formatAgo(at, i18n.language)}
    </time>
  );
}

export function Copy({ value, label }: { value: string; label?: string }) {
  const { t } = useTranslation();
  return (
    <CopyButton value={value} timeout={1500}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? t('common.copied') : (label ?? t('common.copy'))}>
          <ActionIcon size="sm" onClick={copy} aria-label={label ?? t('common.copy')}>
            {copied ? <IconCheck size={15} /> : <IconCopy size={15} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

export function Command({ text }: { text: string }) {
  return (
    <div className={classes.command}>
      <code>{text}</code>
      <Copy value={text} />
    </div>
  );
}

/** The label in the page's language. */
export function useLabel() {
  const { i18n } = useTranslation();
  return (item: { label: string; label_ja?: string | null }) =>
    i18n.language === 'ja' && item.label_ja ? item.label_ja : item.label;
}
