import { IconAlertTriangleFilled, IconCircleDashed, IconCircleFilled } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Instrument } from '@/api/types';
import classes from '@/pages/instruments/Instruments.module.css';
import { When } from '@/parts/Bits';

const ICONS = { online: IconCircleFilled, silent: IconAlertTriangleFilled, unpaired: IconCircleDashed };

export function StatusMark({ instrument: one }: { instrument: Pick<Instrument, 'status' | 'seen_at'> }) {
  const { t } = useTranslation();
  const Icon = ICONS[one.status];
  return (
    <span className={classes.status} data-status={one.status}>
      <Icon size={one.status === 'online' ? 10 : 15} aria-hidden />
      {t(`instruments.status.${one.status}`)}
      {one.status === 'silent' && one.seen_at && <When at={one.seen_at} />}
    </span>
  );
}

/** Files received in each of the last 24 hours, oldest first. */
export function HourStrip({ hours }: { hours: number[] }) {
  const { t } = useTranslation();
  const most = Math.max(1, ...hours);
  const sum = hours.reduce((a, b) => a + b, 0);
  return (
    <div className={classes.strip} role="img" aria-label={t('instruments.day', { count: sum })}>
      {hours.map((count, k) => (
        <i
          key={k}
          data-some={count > 0 || undefined}
          style={{ height: `${count ? 18 + (82 * count) / most : 6}%` }}
        />
      ))}
    </div>
  );
}
