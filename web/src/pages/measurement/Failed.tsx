import { Button, Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import { formatsQuery, queryClient } from '@/api/queries';
import type { Detail } from '@/api/types';
import classes from '@/pages/measurement/Measurement.module.css';
import { toast } from '@/parts/Toasts';

/** Why it is not translated and what to do: try again, or name the reader. */
export function Failed({ data }: { data: Detail }) {
  const { t, i18n } = useTranslation();
  const { data: formats } = useQuery(formatsQuery);
  const [reader, setReader] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const said = data.translation;
  const advice = i18n.language === 'ja' ? (said?.advice_ja ?? said?.advice) : said?.advice;
  const again = async () => {
    setBusy(true);
    try {
      await api.post(`/measurements/${data.uid}/translate`, { reader });
      await queryClient.invalidateQueries({ queryKey: ['measurement', data.uid] });
    } catch (error) {
      toast({ message: error instanceof Error ? error.message : String(error), bad: true });
    }
    setBusy(false);
  };
  return (
    <section className={classes.failed} aria-label={t('state.not_translated')}>
      <h2>{t(`errorKind.${data.error_kind ?? 'unknown'}`, data.error_kind ?? '')}</h2>
      {said?.error_message && <p>{said.error_message}</p>}
      {advice && <p>{advice}</p>}
      <p className="muted">{t('failed.kept')}</p>
      {data.role !== 'viewer' && (
        <div className={classes.failedActions}>
          <Select
            size="xs"
            w={280}
            searchable
            clearable
            label={t('failed.reader')}
            placeholder={t('failed.surest')}
            data={(formats ?? []).map((f) => ({ value: f.reader, label: `${f.vendor} ${f.format}`.trim() }))}
            value={reader}
            onChange={setReader}
          />
          <Button loading={busy} onClick={() => void again()}>
            {t('failed.again')}
          </Button>
        </div>
      )}
    </section>
  );
}
