import { ActionIcon, Button, FileButton, Progress, Select } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { IconPlayerPause, IconPlayerPlay, IconRefresh, IconUpload, IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { formatBytes } from '@/lib/numbers';
import { Message } from '@/parts/States';
import { type Item, totals } from '@/upload/queue';
import { uploads } from '@/upload/runner';
import classes from '@/upload/upload.module.css';
import { useUploadItems, useUploadProject } from '@/upload/useUploads';

/** What makes a file input choose folders; React's types do not know it. */
const FOLDER = { webkitdirectory: '' } as object;

export default function Upload() {
  const { t } = useTranslation();
  useDocumentTitle(t('title.page', { page: t('nav.upload') }));
  const items = useUploadItems();
  const { projects, project, setProject } = useUploadProject();
  if (!project) return <Message title={t('upload.noProject')} text={t('upload.noProjectText')} />;
  const sum = totals(items);
  const add = (files: File[]) =>
    uploads.add(
      files.map((file) => ({ file, path: file.webkitRelativePath || file.name })),
      project.slug,
    );
  return (
    <div className={classes.page}>
      <div className={classes.top}>
        <h1>{t('nav.upload')}</h1>
        <Select
          size="xs"
          w={240}
          label={t('upload.project')}
          allowDeselect={false}
          data={projects.map((p) => ({ value: p.slug, label: p.name }))}
          value={project.slug}
          onChange={(value) => value && setProject(value)}
        />
      </div>
      <div className={classes.zone}>
        <IconUpload size={26} stroke={1.5} aria-hidden />
        <p>
          <strong>{t('upload.drop')}</strong>
          <br />
          {t('upload.dropText')}
        </p>
        <div className={classes.buttons}>
          <FileButton multiple onChange={add}>
            {(props) => (
              <Button variant="default" {...props}>
                {t('upload.choose')}
              </Button>
            )}
          </FileButton>
          <FileButton multiple onChange={add} inputProps={FOLDER}>
            {(props) => (
              <Button variant="default" {...props}>
                {t('upload.chooseFolder')}
              </Button>
            )}
          </FileButton>
        </div>
      </div>
      {items.length > 0 && (
        <>
          <div className={classes.summary}>
            <span role="status">
              {t('upload.summary', { done: sum.done, files: sum.files, size: formatBytes(sum.bytes) })}
            </span>
            {sum.failed > 0 && (
              <span className={classes.status} data-kind="bad">
                {t('upload.failedCount', { count: sum.failed })}
              </span>
            )}
            <Button
              variant="subtle"
              size="compact-xs"
              disabled={sum.done === 0}
              onClick={() => uploads.clearDone()}
            >
              {t('upload.clearDone')}
            </Button>
          </div>
          <ul className={classes.list}>
            {items.map((item) => (
              <OneItem key={item.id} item={item} />
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function OneItem({ item }: { item: Item }) {
  const { t } = useTranslation();
  const percent = item.size ? (100 * item.sent) / item.size : item.status === 'done' ? 100 : 0;
  const kind =
    item.status === 'done'
      ? 'good'
      : item.status === 'failed' || item.status === 'needs_file'
        ? 'bad'
        : undefined;
  return (
    <li className={classes.item}>
      <span className={classes.name}>
        {item.receipt ? (
          <Link to={`/measurements/${item.receipt.measurement}`} className="cut">
            {item.path}
          </Link>
        ) : (
          <span className="cut">{item.path}</span>
        )}
        <span>{formatBytes(item.size)}</span>
      </span>
      <span className={classes.progress}>
        <span className={classes.status} data-kind={kind}>
          {item.receipt?.duplicate
            ? t('upload.duplicate')
            : t(`upload.status.${item.status}`, { percent: Math.floor(percent) })}
        </span>
        {item.status !== 'done' && (
          <Progress size={3} value={percent} aria-label={t('upload.progress', { name: item.name })} />
        )}
      </span>
      <span className={classes.tools}>
        {(item.status === 'sending' || item.status === 'hashing' || item.status === 'waiting') && (
          <ActionIcon
            size="sm"
            aria-label={t('upload.pause', { name: item.name })}
            onClick={() => uploads.pause(item.id)}
          >
            <IconPlayerPause size={15} />
          </ActionIcon>
        )}
        {item.status === 'paused' && (
          <ActionIcon
            size="sm"
            aria-label={t('upload.resume', { name: item.name })}
            onClick={() => uploads.resume(item.id)}
          >
            <IconPlayerPlay size={15} />
          </ActionIcon>
        )}
        {item.status === 'failed' && (
          <ActionIcon
            size="sm"
            aria-label={t('upload.retry', { name: item.name })}
            onClick={() => uploads.resume(item.id)}
          >
            <IconRefresh size={15} />
          </ActionIcon>
        )}
        <ActionIcon
          size="sm"
          aria-label={t('upload.remove', { name: item.name })}
          onClick={() => uploads.remove(item.id)}
        >
          <IconX size={15} />
        </ActionIcon>
      </span>
      {item.error && (
        <p className={classes.error}>{item.error === 'receipt' ? t('upload.wrongReceipt') : item.error}</p>
      )}
      {item.status === 'needs_file' && <p className={classes.error}>{t('upload.needsFile')}</p>}
    </li>
  );
}
