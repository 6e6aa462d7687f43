import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { totals } from '@/upload/queue';
import classes from '@/upload/upload.module.css';
import { useUploadItems } from '@/upload/useUploads';

/** How far the running uploads are, on every page. */
export function UploadBadge() {
  const { t } = useTranslation();
  const sum = totals(useUploadItems());
  if (!sum.active) return null;
  const percent = sum.bytes ? Math.floor((100 * sum.sent) / sum.bytes) : 0;
  return (
    <Link to="/upload" className={classes.badge} role="status">
      {t('upload.badge', { done: sum.done, files: sum.files, percent })}
    </Link>
  );
}
