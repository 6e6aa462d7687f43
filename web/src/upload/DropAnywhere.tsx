import { IconUpload } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { toast } from '@/parts/Toasts';
import { droppedFiles } from '@/upload/dropped';
import { uploads } from '@/upload/runner';
import classes from '@/upload/upload.module.css';
import { useUploadProject } from '@/upload/useUploads';

/** Files may be dropped on any page. */
export function DropAnywhere() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { project } = useUploadProject();
  const [over, setOver] = useState(false);
  useEffect(() => {
    let depth = 0;
    const files = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const enter = (event: DragEvent) => {
      if (!files(event)) return;
      depth += 1;
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!files(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const allow = (event: DragEvent) => {
      if (files(event)) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      if (!files(event) || !event.dataTransfer) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      if (!project) return toast({ message: t('upload.noProject'), bad: true });
      droppedFiles(event.dataTransfer).then(
        (found) => {
          uploads.add(found, project.slug);
          navigate('/upload');
        },
        (error: unknown) => toast({ message: String(error), bad: true }),
      );
    };
    window.addEventListener('dragenter', enter);
    window.addEventListener('dragleave', leave);
    window.addEventListener('dragover', allow);
    window.addEventListener('drop', drop);
    return () => {
      window.removeEventListener('dragenter', enter);
      window.removeEventListener('dragleave', leave);
      window.removeEventListener('dragover', allow);
      window.removeEventListener('drop', drop);
    };
  }, [project, navigate, t]);
  if (!over) return null;
  return (
    <div className={classes.over}>
      <div>
        <IconUpload size={30} stroke={1.5} aria-hidden />
        <p>{project ? t('upload.dropTo', { project: project.name }) : t('upload.noProject')}</p>
      </div>
    </div>
  );
}
