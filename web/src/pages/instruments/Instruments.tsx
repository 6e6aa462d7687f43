import { Button } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { instrumentsQuery, useMe } from '@/api/queries';
import type { Instrument } from '@/api/types';
import { AddInstrument } from '@/pages/instruments/AddInstrument';
import classes from '@/pages/instruments/Instruments.module.css';
import { HourStrip, StatusMark } from '@/pages/instruments/parts';
import { When } from '@/parts/Bits';
import { Failure, Message, PageSkeleton } from '@/parts/States';

const ORDER = { silent: 0, online: 1, unpaired: 2 } as const;

/** Silent ones first, then those with trouble, then by name. */
export function byConcern(a: Instrument, b: Instrument): number {
  return (
    ORDER[a.status] - ORDER[b.status] ||
    Math.sign(b.failed) - Math.sign(a.failed) ||
    a.name.localeCompare(b.name)
  );
}

/** A wall of tiles that is readable at 3 m. */
export default function Instruments() {
  const { t } = useTranslation();
  useDocumentTitle(t('title.page', { page: t('nav.instruments') }));
  const me = useMe();
  const [search, setSearch] = useSearchParams();
  const { data, error, refetch } = useQuery(instrumentsQuery);
  const mayAdd = me.account.is_admin || me.projects.some((p) => p.role === 'steward');
  const adding = search.get('add') === '1';
  const setAdding = (on: boolean) => setSearch(on ? { add: '1' } : {}, { replace: true });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <PageSkeleton />;
  const add = mayAdd && (
    <Button leftSection={<IconPlus size={14} />} onClick={() => setAdding(true)}>
      {t('instruments.add')}
    </Button>
  );
  return (
    <div className={classes.page}>
      {mayAdd && <AddInstrument opened={adding} close={() => setAdding(false)} />}
      <div className={classes.top}>
        <h1>{t('nav.instruments')}</h1>
        {data.length > 0 && add}
      </div>
      {data.length === 0 ? (
        <Message
          title={t('instruments.none')}
          text={t(mayAdd ? 'instruments.noneText' : 'instruments.noneViewer')}
        >
          {add}
        </Message>
      ) : (
        <ul className={classes.wall}>
          {[...data].sort(byConcern).map((instrument) => (
            <Tile key={instrument.uid} instrument={instrument} />
          ))}
        </ul>
      )}
    </div>
  );
}

function Tile({ instrument: one }: { instrument: Instrument }) {
  const { t } = useTranslation();
  return (
    <li>
      <Link to={`/instruments/${one.slug}`} className={classes.tile} data-status={one.status}>
        <StatusMark instrument={one} />
        <h2>{one.name}</h2>
        <p className={classes.place}>{one.place || one.project.name}</p>
        <p className={classes.last}>
          {one.file_at ? (
            <>
              <When at={one.file_at} /> <span>{t('instruments.lastFile')}</span>
            </>
          ) : (
            <span>{t('instruments.noFile')}</span>
          )}
        </p>
        <dl className={classes.numbers}>
          {(['waiting', 'failed', 'not_translated'] as const).map((key) => (
            <div
              key={key}
              data-bad={(key !== 'waiting' && one[key] > 0) || undefined}
              data-none={one[key] === 0 || undefined}
            >
              <dd>{one[key]}</dd>
              <dt>{t(`instruments.${key}`)}</dt>
            </div>
          ))}
        </dl>
        <HourStrip hours={one.hours} />
      </Link>
    </li>
  );
}
