import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Message } from '@/parts/States';

export default function NotFound() {
  const { t } = useTranslation();
  return (
    <Message title={t('error.noPage')} text={t('error.noPageText')}>
      <Button component={Link} to="/measurements" variant="default">
        {t('nav.measurements')}
      </Button>
    </Message>
  );
}
