import { Button, CloseButton } from '@mantine/core';
import { IconArrowsDiff, IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { api } from '@/api/client';
import classes from '@/pages/measurements/SelectionBar.module.css';
import { toast } from '@/parts/Toasts';

/** What to do with the chosen rows. */
export function SelectionBar({ selected, clear }: { selected: ReadonlySet<string>; clear: () => void }) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState('');
  if (selected.size === 0) return null;
  const uids = [...selected];
  const download = async (what: 'raw' | 'standard') => {
    setBusy(what);
    try {
      await api.download('/download', { uids, what }, `zairyo-${what}.zip`);
    } catch (error) {
      toast({ message: error instanceof Error ? error.message : String(error), bad: true });
    }
    setBusy('');
  };
  return (
    <div className={classes.bar} role="toolbar" aria-label={t('selection.label')}>
      <span className={classes.count} role="status">
        {t('selection.count', { count: selected.size })}
      </span>
      <Button
        component={Link}
        to={`/compare?m=${uids.slice(0, 20).join(',')}`}
        disabled={uids.length < 2}
        leftSection={<IconArrowsDiff size={15} />}
      >
        {t('selection.compare')}
      </Button>
      <Button
        variant="default"
        loading={busy === 'raw'}
        leftSection={<IconDownload size={15} />}
        onClick={() => void download('raw')}
      >
        {t('selection.raw')}
      </Button>
      <Button
        variant="default"
        loading={busy === 'standard'}
        leftSection={<IconDownload size={15} />}
        onClick={() => void download('standard')}
      >
        {t('selection.nexus')}
      </Button>
      <CloseButton size="sm" aria-label={t('selection.clear')} onClick={clear} />
    </div>
  );
}
