import { Checkbox, Popover, Skeleton, TextInput } from '@mantine/core';
import { useDebouncedValue, useDisclosure } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { cloneElement, type ReactElement, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { listQuery } from '@/api/queries';
import type { Detail } from '@/api/types';
import classes from '@/pages/measurement/OverlayPicker.module.css';
import { Thumbnail, When } from '@/parts/Bits';

const MOST = 10;

/** Choose measurements of the same technique to lay over this one. */
export function OverlayPicker(props: {
  data: Detail;
  chosen: string[];
  change: (over: string[]) => void;
  children: ReactElement;
}) {
  const { data, chosen, change, children } = props;
  const { t } = useTranslation();
  const [opened, { toggle, close }] = useDisclosure(false);
  const [query, setQuery] = useState('');
  const [asked] = useDebouncedValue(query, 200);
  const { data: pages, error } = useInfiniteQuery({
    ...listQuery({ q: asked, technique: data.technique, state: 'translated', sort: '-received_at' }),
    enabled: opened,
    retry: false,
  });
  const rows = (pages?.pages[0]?.items ?? []).filter((row) => row.uid !== data.uid);
  return (
    <Popover
      opened={opened}
      onClose={close}
      position="bottom-end"
      width={400}
      shadow="md"
      trapFocus
      withinPortal
    >
      <Popover.Target>{cloneElement(children, { onClick: toggle, 'aria-expanded': opened })}</Popover.Target>
      <Popover.Dropdown aria-label={t('measurement.overlay')}>
        <TextInput
          size="xs"
          data-autofocus
          placeholder={t('overlay.search', { technique: data.technique_short })}
          aria-label={t('overlay.search', { technique: data.technique_short })}
          value={query}
          onChange={(event) => setQuery(event.currentTarget.value)}
          error={error instanceof Error ? error.message : undefined}
        />
        <ul className={classes.list}>
          {!pages && !error && <Skeleton h={120} />}
          {pages && rows.length === 0 && <li className={classes.none}>{t('overlay.none')}</li>}
          {rows.map((row) => (
            <li key={row.uid}>
              <label className={classes.row}>
                <Checkbox
                  checked={chosen.includes(row.uid)}
                  disabled={!chosen.includes(row.uid) && chosen.length >= MOST}
                  onChange={(event) =>
                    change(
                      event.currentTarget.checked
                        ? [...chosen, row.uid]
                        : chosen.filter((u) => u !== row.uid),
                    )
                  }
                />
                <Thumbnail path={row.thumbnail} technique={row.technique} width={60} />
                <span className={classes.text}>
                  <span className="cut">{row.title}</span>
                  <span className="muted cut">
                    {row.sample} <When at={row.received_at} />
                  </span>
                </span>
              </label>
            </li>
          ))}
        </ul>
      </Popover.Dropdown>
    </Popover>
  );
}
