import { Button, Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Away, Problem } from '@/api/client';
import classes from '@/parts/parts.module.css';

export function PageSkeleton() {
  const { t } = useTranslation();
  return (
    <div className={classes.skeleton} role="status" aria-busy="true" aria-label={t('common.loading')}>
      <Skeleton h={22} w={280} mb={20} />
      <Skeleton h={320} mb={16} />
      <Skeleton h={14} w="60%" mb={8} />
      <Skeleton h={14} w="45%" />
    </div>
  );
}

export function Message({ title, text, children }: { title: string; text?: string; children?: ReactNode }) {
  return (
    <div className={classes.message}>
      <h1>{title}</h1>
      {text && <p>{text}</p>}
      {children}
    </div>
  );
}

/** An error in the place of what could not be loaded: what happened and what to do. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation();
  const again = retry && (
    <Button variant="default" onClick={retry}>
      {t('common.tryAgain')}
    </Button>
  );
  if (error instanceof Problem && error.status === 404) {
    return <Message title={t('error.notFound')} text={t('error.notFoundText')} />;
  }
  if (error instanceof Problem && error.status === 403) {
    return <Message title={t('error.forbidden')} text={error.message} />;
  }
  if (error instanceof Away)
    return (
      <Message title={t('error.away')} text={t('error.awayText')}>
        {again}
      </Message>
    );
  return (
    <Message title={t('error.other')} text={error instanceof Error ? error.message : String(error)}>
      {again}
    </Message>
  );
}
