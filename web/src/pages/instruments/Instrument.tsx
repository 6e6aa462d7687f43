import { Button } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams, useSearchParams } from 'react-router';
import { api } from '@/api/client';
import { instrumentQuery, queryClient, useMe } from '@/api/queries';
import type { Instrument as Info, Pairing as PairingInfo } from '@/api/types';
import { formatNumber } from '@/lib/numbers';
import { formatDate } from '@/lib/time';
import classes from '@/pages/instruments/Instruments.module.css';
import { HourStrip, StatusMark } from '@/pages/instruments/parts';
import { Rules } from '@/pages/instruments/Rules';
import { Command, When } from '@/parts/Bits';
import { Failure, PageSkeleton } from '@/parts/States';
import { toast } from '@/parts/Toasts';

export default function Instrument() {
  const { slug = '' } = useParams();
  const { t } = useTranslation();
  const me = useMe();
  const { data: one, error, refetch } = useQuery(instrumentQuery(slug));
  useDocumentTitle(t('title.page', { page: one?.name ?? t('nav.instruments') }));
  if (error && !one) return <Failure error={error} retry={() => void refetch()} />;
  if (!one) return <PageSkeleton />;
  const mayManage = me.account.is_admin || one.role === 'steward';
  return (
    <div className={classes.one}>
      <div className={classes.head}>
        <h1>{one.name}</h1>
        <Button
          component={Link}
          variant="default"
          to={`/measurements?instrument=${encodeURIComponent(one.slug)}`}
        >
          {t('instruments.see', { count: one.measurements, text: formatNumber(one.measurements) })}
        </Button>
      </div>
      <div className={classes.facts}>
        <StatusMark instrument={one} />
        {one.place && <span>{one.place}</span>}
        <span>{one.project.name}</span>
        {one.file_at && (
          <span>
            {t('instruments.lastFile')} <When at={one.file_at} />
          </span>
        )}
      </div>
      <div className={classes.day}>
        <HourStrip hours={one.hours} />
        <p className="muted">{t('instruments.day', { count: one.hours.reduce((a, b) => a + b, 0) })}</p>
      </div>
      {one.paired && <Agent one={one} mayManage={mayManage} />}
      {mayManage && <Pairing one={one} />}
      <Rules one={one} mayManage={mayManage} />
    </div>
  );
}

function Agent({ one, mayManage }: { one: Info; mayManage: boolean }) {
  const { t } = useTranslation();
  const [sure, setSure] = useState(false);
  const revoke = async () => {
    try {
      await api.delete(`/instruments/${one.slug}/agent`);
      toast({ message: t('agent.revoked') });
      await queryClient.invalidateQueries({ queryKey: ['instruments'] });
    } catch (error) {
      toast({ message: error instanceof Error ? error.message : String(error), bad: true });
    }
    setSure(false);
  };
  const facts: [string, string | number | undefined][] = [
    [t('agent.host'), one.agent.host],
    [t('agent.folder'), one.agent.folder],
    [t('agent.platform'), one.agent.platform],
    [t('agent.version'), one.agent.version],
    [t('agent.seen'), formatDate(one.seen_at, true)],
    [t('instruments.waiting'), one.waiting],
    [t('instruments.failed'), one.failed],
  ];
  return (
    <section className={classes.section} aria-label={t('agent.title')}>
      <h2>{t('agent.title')}</h2>
      <dl className={classes.pairs}>
        {facts.map(([name, value]) =>
          value === undefined || value === '' ? null : (
            <div key={name} style={{ display: 'contents' }}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
      {(one.agent.problems?.length ?? 0) > 0 && (
        <ul className={classes.problems}>
          {one.agent.problems?.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
      {mayManage && (
        <div className={classes.buttons}>
          {sure ? (
            <>
              <span>{t('agent.sure')}</span>
              <Button color="red" onClick={() => void revoke()}>
                {t('agent.revoke')}
              </Button>
              <Button variant="default" onClick={() => setSure(false)}>
                {t('common.cancel')}
              </Button>
            </>
          ) : (
            <Button variant="default" onClick={() => setSure(true)}>
              {t('agent.revoke')}
            </Button>
          )}
        </div>
      )}
    </section>
  );
}

function Pairing({ one }: { one: Info }) {
  const { t } = useTranslation();
  const [search] = useSearchParams();
  const [made, setMade] = useState<PairingInfo | null>(null);
  const [busy, setBusy] = useState(false);
  const make = async () => {
    setBusy(true);
    try {
      setMade(await api.post<PairingInfo>(`/instruments/${one.slug}/pairing`));
    } catch (error) {
      toast({ message: error instanceof Error ? error.message : String(error), bad: true });
    }
    setBusy(false);
  };
  const paired = one.paired && !search.has('pair');
  return (
    <section className={classes.section} aria-label={t('pairing.title')}>
      <h2>{t(paired ? 'pairing.again' : 'pairing.title')}</h2>
      {!made ? (
        <>
          <p className="muted">{t(paired ? 'pairing.againText' : 'pairing.text')}</p>
          <Button variant={paired ? 'default' : 'filled'} loading={busy} onClick={() => void make()}>
            {t('pairing.make')}
          </Button>
        </>
      ) : (
        <>
          <p className="muted">{t('pairing.run', { until: formatDate(made.expires_at) })}</p>
          <div className={classes.code}>{made.code}</div>
          <Command text={made.command} />
        </>
      )}
    </section>
  );
}
