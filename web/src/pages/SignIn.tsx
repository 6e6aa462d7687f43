import { Button, PasswordInput, TextInput, UnstyledButton } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Navigate, useNavigate, useSearchParams } from 'react-router';
import { Away, api, Problem } from '@/api/client';
import { connection } from '@/api/connection';
import { meQuery, queryClient } from '@/api/queries';
import type { Me } from '@/api/types';
import { LANGUAGES, setLanguage } from '@/app/i18n';
import classes from '@/pages/SignIn.module.css';

/** Only paths of this site: a link must not lead elsewhere after signing in. */
export function safeNext(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) ? next : '/measurements';
}

export default function SignIn() {
  const { t, i18n } = useTranslation();
  useDocumentTitle(t('title.page', { page: t('signIn.submit') }));
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Error | null>(null);
  const next = safeNext(search.get('next'));
  if (queryClient.getQueryData(meQuery.queryKey) && !connection.state().signedOut)
    return <Navigate to={next} replace />;

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setProblem(null);
    try {
      const me = await api.post<Me>('/session', {
        email: String(form.get('email')).trim(),
        password: String(form.get('password')),
      });
      connection.signedIn();
      queryClient.setQueryData(meQuery.queryKey, me);
      navigate(next, { replace: true });
    } catch (error) {
      setProblem(error instanceof Error ? error : new Error(String(error)));
      setBusy(false);
    }
  };
  const emailError = problem instanceof Problem ? problem.about('email') : null;
  const rest =
    problem && !emailError
      ? problem instanceof Away
        ? t('error.awayText')
        : problem instanceof Problem && problem.code === 'bad_credentials'
          ? t('signIn.wrong')
          : problem.message
      : null;
  return (
    <main className={classes.page}>
      <form className={classes.form} onSubmit={(event) => void submit(event)}>
        <img src="/mark.svg" width={44} height={44} alt="" />
        <h1>{t('app.name')}</h1>
        <p>{t('app.tagline')}</p>
        <TextInput
          name="email"
          type="email"
          label={t('signIn.email')}
          autoComplete="username"
          autoFocus
          required
          error={emailError}
        />
        <PasswordInput
          name="password"
          label={t('signIn.password')}
          autoComplete="current-password"
          required
          error={rest}
          visibilityToggleButtonProps={{ 'aria-label': t('signIn.show') }}
        />
        <Button type="submit" size="sm" loading={busy} fullWidth>
          {t('signIn.submit')}
        </Button>
        <span className={classes.languages}>
          {LANGUAGES.map((language) => (
            <UnstyledButton
              key={language}
              lang={language}
              aria-pressed={i18n.language === language}
              onClick={() => void setLanguage(language)}
            >
              {t(`language.${language}`)}
            </UnstyledButton>
          ))}
        </span>
      </form>
    </main>
  );
}
