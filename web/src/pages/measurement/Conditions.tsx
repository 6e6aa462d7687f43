import { useTranslation } from 'react-i18next';
import type { ConditionInfo, Detail, EntryInfo } from '@/api/types';
import { formatQuantity } from '@/lib/numbers';
import { formatDate } from '@/lib/time';
import { EditableText, useCorrection } from '@/pages/measurement/EditableText';
import classes from '@/pages/measurement/Measurement.module.css';

const MOST = 8;

export const conditionText = (c: ConditionInfo) =>
  c.value === null ? '–' : formatQuantity(c.value, c.unit, c.uncertainty);

/** The conditions that matter for the technique, and who measured what when. */
export function Conditions({ data, entry }: { data: Detail; entry: EntryInfo | undefined }) {
  const { t, i18n } = useTranslation();
  const correct = useCorrection(data);
  const main = (entry?.conditions ?? []).filter((c) => c.main).slice(0, MOST);
  const pairs: [string, string][] = [
    [t('measurement.measured'), formatDate(data.measured_at)],
    [t('measurement.received'), formatDate(data.received_at)],
    [t('measurement.model'), data.model],
    [t('measurement.by'), data.by ?? ''],
    [t('measurement.project'), data.project.name],
  ];
  return (
    <aside className={classes.side} aria-label={t('measurement.conditions')}>
      {main.length > 0 && (
        <div>
          <h2>{t('measurement.conditions')}</h2>
          <dl className={classes.pairs}>
            {main.map((c) => (
              <Pair
                key={c.name}
                name={i18n.language === 'ja' ? c.title_ja : c.title}
                value={conditionText(c)}
              />
            ))}
          </dl>
        </div>
      )}
      <div>
        <h2>{t('measurement.about')}</h2>
        <dl className={`${classes.pairs} ${classes.wide}`}>
          <dt>{t('measurement.operator')}</dt>
          <dd>
            <EditableText
              value={data.operator}
              label={t('measurement.operator')}
              empty="–"
              editable={data.role !== 'viewer'}
              save={(operator) => correct({ operator })}
            />
          </dd>
          {pairs.map(([name, value]) => value && <Pair key={name} name={name} value={value} />)}
        </dl>
        <p className="muted">
          {t('measurement.members', { count: data.members, project: data.project.name })}
        </p>
      </div>
    </aside>
  );
}

function Pair({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}
