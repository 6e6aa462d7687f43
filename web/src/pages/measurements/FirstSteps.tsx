import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useMe } from '@/api/queries';
import classes from '@/pages/measurements/FirstSteps.module.css';
import { Command } from '@/parts/Bits';

/** Nothing measured yet: how the first instrument is connected. */
export function FirstSteps() {
  const { t } = useTranslation();
  const me = useMe();
  const mayAdd = me.account.is_admin || me.projects.some((p) => p.role !== 'viewer');
  if (!mayAdd) {
    return (
      <div className={classes.page}>
        <h1>{t('first.emptyTitle')}</h1>
        <p>{t(me.projects.length ? 'first.emptyViewer' : 'first.emptyNoProject')}</p>
      </div>
    );
  }
  return (
    <div className={classes.page}>
      <h1>{t('first.title')}</h1>
      <p>{t('first.text')}</p>
      <ol className={classes.steps}>
        <li>
          <h2>{t('first.add')}</h2>
          <p>{t('first.addText')}</p>
          <Button component={Link} to="/instruments?add=1">
            {t('instruments.add')}
          </Button>
        </li>
        <li>
          <h2>{t('first.pair')}</h2>
          <p>{t('first.pairText')}</p>
          <Command text={`zairyo agent pair ${location.origin} ABCD-EFGH --folder DATA`} />
        </li>
        <li>
          <h2>{t('first.measure')}</h2>
          <p>{t('first.measureText')}</p>
          <Button component={Link} to="/upload" variant="default">
            {t('first.upload')}
          </Button>
        </li>
      </ol>
    </div>
  );
}
