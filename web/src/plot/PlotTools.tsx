import { Button, Menu, SegmentedControl, Select, Tooltip, UnstyledButton } from '@mantine/core';
import { IconChartLine, IconDownload, IconTable } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { apiUrl } from '@/api/client';
import type { Detail, EntryInfo } from '@/api/types';
import { pythonFor } from '@/lib/python';
import type { PlotState } from '@/lib/urlstate';
import { toast } from '@/parts/Toasts';
import classes from '@/plot/PlotPanel.module.css';

export type Change = (change: Partial<PlotState>) => void;

export function Entries({
  entries,
  current,
  change,
}: {
  entries: EntryInfo[];
  current: string;
  change: Change;
}) {
  const { t } = useTranslation();
  const name = (e: EntryInfo) => e.title || e.name;
  const select = (value: string) => change({ entry: value, x: '', y: [], range: null });
  if (entries.length > 6) {
    return (
      <Select
        className={classes.entrySelect}
        size="xs"
        searchable
        allowDeselect={false}
        label={t('plot.entries', { count: entries.length })}
        data={entries.map((e) => ({ value: e.name, label: name(e) }))}
        value={current}
        onChange={(value) => value && select(value)}
        nothingFoundMessage={t('list.nothing')}
      />
    );
  }
  return (
    <div className={classes.entries} role="tablist" aria-label={t('plot.entries', { count: entries.length })}>
      {entries.map((e) => (
        <UnstyledButton
          key={e.name}
          role="tab"
          aria-selected={e.name === current}
          className={classes.entry}
          onClick={() => select(e.name)}
        >
          {name(e)}
        </UnstyledButton>
      ))}
    </div>
  );
}

export function ViewSwitch({ state, change }: { state: PlotState; change: Change }) {
  const { t } = useTranslation();
  return (
    <SegmentedControl
      aria-label={t('plot.view')}
      value={state.view}
      onChange={(value) => change({ view: value as PlotState['view'] })}
      data={[
        { value: 'plot', label: <Named icon={IconChartLine} text={t('plot.plot')} /> },
        { value: 'table', label: <Named icon={IconTable} text={t('plot.table')} /> },
      ]}
    />
  );
}

function Named({ icon: Icon, text }: { icon: typeof IconTable; text: string }) {
  return (
    <span className={classes.named}>
      <Icon size={14} aria-hidden /> {text}
    </span>
  );
}

export function Export({
  main,
  entry,
  png,
  svg,
}: {
  main: Detail;
  entry: EntryInfo;
  png?: () => void;
  svg?: () => void;
}) {
  const { t } = useTranslation();
  const copy = () =>
    navigator.clipboard.writeText(pythonFor(location.origin, main.uid, entry.name)).then(
      () => toast({ message: t('plot.pythonCopied') }),
      () => toast({ message: t('plot.copyFailed'), bad: true }),
    );
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Tooltip label={t('plot.export')}>
          <Button variant="default" leftSection={<IconDownload size={14} />}>
            {t('plot.export')}
          </Button>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {png && <Menu.Item onClick={png}>{t('plot.png')}</Menu.Item>}
        {svg && <Menu.Item onClick={svg}>{t('plot.svg')}</Menu.Item>}
        <Menu.Item
          component="a"
          href={apiUrl(`/measurements/${main.uid}/entries/${encodeURIComponent(entry.name)}.csv`)}
        >
          {t('plot.csv')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item onClick={() => void copy()}>{t('plot.python')}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
