import { Button, PasswordInput, SegmentedControl, TextInput, useMantineColorScheme } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, Problem } from '@/api/client';
import { meQuery, queryClient, useMe } from '@/api/queries';
import type { Me } from '@/api/types';
import { LANGUAGES, type Language, setLanguage } from '@/app/i18n';
import classes from '@/pages/account/Account.module.css';
import { Tokens } from '@/pages/account/Tokens';
import { toast } from '@/parts/Toasts';

export default function Account() {
  const { t, i18n } = useTranslation();
  useDocumentTitle(t('title.page', { page: t('account.title') }));
  const me = useMe();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const choose = async (language: string) => {
    await setLanguage(language as Language);
    await api.patch('/me', { locale: language }).catch(() => undefined);
  };
  return (
    <div className={classes.page}>
      <h1>{t('account.title')}</h1>
      <p className="muted">
        {t('account.who', { email: me.account.email, institution: me.account.institution.name })}
      </p>
      <Section title={t('account.look')}>
        <div className={classes.choices}>
          <span>{t('account.language')}</span>
          <SegmentedControl
            aria-label={t('account.language')}
            value={i18n.language}
            onChange={(v) => void choose(v)}
            data={LANGUAGES.map((l) => ({ value: l, label: t(`language.${l}`) }))}
          />
          <span>{t('account.theme')}</span>
          <SegmentedControl
            aria-label={t('account.theme')}
            value={colorScheme}
            onChange={(v) => setColorScheme(v as 'auto')}
            data={['auto', 'light', 'dark'].map((v) => ({ value: v, label: t(`theme.${v}`) }))}
          />
        </div>
      </Section>
      <Section title={t('account.name')}>
        <Name />
      </Section>
      <Section title={t('account.password')}>
        <Password />
      </Section>
      <Section title={t('tokens.title')}>
        <Tokens />
      </Section>
    </div>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes.section} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Name() {
  const { t } = useTranslation();
  const me = useMe();
  const [problem, setProblem] = useState('');
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    try {
      const next = await api.patch<Me>('/me', { name: new FormData(event.currentTarget).get('name') });
      queryClient.setQueryData(meQuery.queryKey, next);
      setProblem('');
      toast({ message: t('account.saved') });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form className={classes.row} onSubmit={(event) => void submit(event)}>
      <TextInput
        w={300}
        name="name"
        aria-label={t('account.name')}
        defaultValue={me.account.name}
        required
        maxLength={200}
        error={problem || null}
      />
      <Button type="submit" variant="default" size="sm">
        {t('account.save')}
      </Button>
    </form>
  );
}

function Password() {
  const { t } = useTranslation();
  const [problem, setProblem] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const element = event.currentTarget;
    const form = new FormData(element);
    setBusy(true);
    setProblem(null);
    try {
      await api.post('/me/password', { old: form.get('old'), new: form.get('new') });
      element.reset();
      toast({ message: t('account.passwordChanged') });
    } catch (error) {
      setProblem(error instanceof Error ? error : new Error(String(error)));
    }
    setBusy(false);
  };
  const about = (field: string) => (problem instanceof Problem ? problem.about(field) : null);
  const show = { 'aria-label': t('signIn.show') };
  return (
    <form className={classes.column} onSubmit={(event) => void submit(event)}>
      <PasswordInput
        name="old"
        label={t('account.oldPassword')}
        autoComplete="current-password"
        required
        visibilityToggleButtonProps={show}
        error={about('old') ?? (problem && !about('new') ? problem.message : null)}
      />
      <PasswordInput
        name="new"
        label={t('account.newPassword')}
        autoComplete="new-password"
        required
        visibilityToggleButtonProps={show}
        error={about('new')}
      />
      <Button type="submit" variant="default" size="sm" loading={busy}>
        {t('account.changePassword')}
      </Button>
    </form>
  );
}
