import { Button, Modal, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { api, Problem } from '@/api/client';
import { projectsQuery, queryClient, useMe } from '@/api/queries';
import type { Instrument } from '@/api/types';
import classes from '@/pages/instruments/Instruments.module.css';

export function AddInstrument({ opened, close }: { opened: boolean; close: () => void }) {
  const { t } = useTranslation();
  const me = useMe();
  const navigate = useNavigate();
  const { data } = useQuery({ ...projectsQuery, enabled: opened });
  const [problem, setProblem] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const [project, setProject] = useState<string | null>(null);
  const choices = (data ?? me.projects).filter((p) => me.account.is_admin || p.role === 'steward');
  const chosen = project ?? choices[0]?.slug ?? null;
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setProblem(null);
    try {
      const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const made = await api.post<Instrument>('/instruments', {
        name: form.get('name'),
        place: form.get('place'),
        project: chosen,
        timezone,
      });
      await queryClient.invalidateQueries({ queryKey: ['instruments'] });
      navigate(`/instruments/${made.slug}?pair=1`);
    } catch (error) {
      setProblem(error instanceof Error ? error : new Error(String(error)));
    }
    setBusy(false);
  };
  const about = (field: string) => (problem instanceof Problem ? problem.about(field) : null);
  const rest = problem && !['name', 'place', 'project'].some(about) ? problem.message : null;
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={t('instruments.add')}
      centered
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form className={classes.dialog} onSubmit={(event) => void submit(event)}>
        <TextInput
          name="name"
          label={t('instruments.name')}
          placeholder={t('instruments.nameExample')}
          required
          maxLength={200}
          data-autofocus
          error={about('name')}
        />
        <TextInput
          name="place"
          label={t('instruments.place')}
          placeholder={t('instruments.placeExample')}
          maxLength={200}
          error={about('place')}
        />
        <Select
          label={t('instruments.project')}
          description={t('instruments.projectText')}
          allowDeselect={false}
          data={choices.map((p) => ({ value: p.slug, label: p.name }))}
          value={chosen}
          onChange={setProject}
          error={about('project') ?? rest}
        />
        <div className={classes.buttons}>
          <Button type="submit" size="sm" loading={busy} disabled={!chosen}>
            {t('instruments.addSubmit')}
          </Button>
          <Button variant="subtle" size="sm" onClick={close}>
            {t('common.cancel')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
