import { Button, NumberInput, Switch, TextInput } from '@mantine/core';
import { type FormEvent, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, Problem } from '@/api/client';
import { instrumentQuery, queryClient } from '@/api/queries';
import type { Instrument, InstrumentSettings } from '@/api/types';
import { FOLDER_FORMATS } from '@/lib/vocabulary';
import classes from '@/pages/instruments/Instruments.module.css';
import { toast } from '@/parts/Toasts';

const DEFAULTS: Required<InstrumentSettings> = {
  include: ['*'],
  exclude: [],
  subfolders: true,
  stable_seconds: 5,
  end_marker: null,
  sentinel: null,
  folder_formats: [...FOLDER_FORMATS],
  rescan_seconds: 30,
  since: null,
};

const listed = (values: string[]) => values.join(', ');
const unlisted = (text: FormDataEntryValue | null) =>
  String(text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);

/** Which files of the folder are measurements, and when they are finished. */
export function Rules({ one, mayManage }: { one: Instrument; mayManage: boolean }) {
  const { t } = useTranslation();
  const settings = { ...DEFAULTS, ...one.settings };
  const [subfolders, setSubfolders] = useState(settings.subfolders);
  const [problem, setProblem] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => setSubfolders(settings.subfolders), [settings.subfolders]);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim() || null;
    setBusy(true);
    setProblem(null);
    try {
      const next: InstrumentSettings = {
        ...one.settings,
        include: unlisted(form.get('include')),
        exclude: unlisted(form.get('exclude')),
        folder_formats: unlisted(form.get('folder_formats')),
        subfolders,
        stable_seconds: Number(form.get('stable_seconds')),
        rescan_seconds: Number(form.get('rescan_seconds')),
        end_marker: text('end_marker'),
        sentinel: text('sentinel'),
        since: text('since'),
      };
      const saved = await api.patch<Instrument>(`/instruments/${one.slug}`, { settings: next });
      queryClient.setQueryData(instrumentQuery(one.slug).queryKey, saved);
      toast({ message: t('rules.saved') });
    } catch (error) {
      setProblem(error instanceof Error ? error : new Error(String(error)));
    }
    setBusy(false);
  };
  const about = (field: string) =>
    problem instanceof Problem ? (problem.about(field) ?? problem.about(`settings.${field}`)) : null;
  const FIELDS = [
    'include',
    'exclude',
    'folder_formats',
    'stable_seconds',
    'rescan_seconds',
    'end_marker',
    'sentinel',
    'since',
  ];
  const rest = problem && !FIELDS.some(about) ? problem.message : null;
  const field = (name: string) => ({
    name,
    label: t(`rules.${name}`),
    description: t(`rules.${name}Text`),
    error: about(name),
    disabled: !mayManage,
  });
  return (
    <section className={classes.section} aria-label={t('rules.title')}>
      <h2>{t('rules.title')}</h2>
      <p className="muted">{t('rules.text')}</p>
      {/* A new version of the settings makes a new form with its values. */}
      <form key={one.settings_version} onSubmit={(event) => void submit(event)}>
        <div className={classes.form}>
          <TextInput {...field('include')} defaultValue={listed(settings.include)} />
          <TextInput {...field('exclude')} defaultValue={listed(settings.exclude)} />
          <NumberInput
            {...field('stable_seconds')}
            defaultValue={settings.stable_seconds}
            min={0}
            max={86400}
          />
          <NumberInput
            {...field('rescan_seconds')}
            defaultValue={settings.rescan_seconds}
            min={1}
            max={86400}
          />
          <TextInput {...field('end_marker')} defaultValue={settings.end_marker ?? ''} maxLength={200} />
          <TextInput {...field('sentinel')} defaultValue={settings.sentinel ?? ''} maxLength={200} />
          <TextInput {...field('folder_formats')} defaultValue={listed(settings.folder_formats)} />
          <TextInput {...field('since')} defaultValue={settings.since ?? ''} />
          <Switch
            className={classes.wide}
            checked={subfolders}
            disabled={!mayManage}
            onChange={(event) => setSubfolders(event.currentTarget.checked)}
            label={t('rules.subfolders')}
          />
        </div>
        {rest && (
          <p role="alert" className={classes.problems}>
            {rest}
          </p>
        )}
        {mayManage && (
          <div className={classes.buttons}>
            <Button type="submit" loading={busy}>
              {t('rules.save')}
            </Button>
          </div>
        )}
      </form>
    </section>
  );
}
