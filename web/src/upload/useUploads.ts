import { useLocalStorage } from '@mantine/hooks';
import { useSyncExternalStore } from 'react';
import { useMe } from '@/api/queries';
import { uploads } from '@/upload/runner';

export const useUploadItems = () => useSyncExternalStore(uploads.subscribe, uploads.items);

/** Where uploads go: the project chosen last, of those the person may add to. */
export function useUploadProject() {
  const me = useMe();
  const projects = me.projects.filter((p) => p.role !== 'viewer');
  const [slug, setSlug] = useLocalStorage({
    key: 'zairyo.project',
    defaultValue: '',
    getInitialValueInEffect: false,
  });
  const project = projects.find((p) => p.slug === slug) ?? projects[0];
  return { projects, project, setProject: setSlug };
}
