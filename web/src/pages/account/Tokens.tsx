import { Button, Checkbox, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import { queryClient, tokensQuery } from '@/api/queries';
import type { Scope, TokenInfo } from '@/api/types';
import { formatDate } from '@/lib/time';
import classes from '@/pages/account/Account.module.css';
import { Command, When } from '@/parts/Bits';
import { Failure } from '@/parts/States';
import { toast } from '@/parts/Toasts';

const SCOPES: Scope[] = ['read', 'upload', 'write', 'admin'];
const DAYS = ['30', '90', '365', ''];

/** Tokens for programs: made once, shown once, revoked any time. */
export function Tokens() {
  const { t } = useTranslation();
  const { data, error } = useQuery(tokensQuery);
  const [scopes, setScopes] = useState<Scope[]>(['read']);
  const [days, setDays] = useState('90');
  const [made, setMade] = useState('');
  const [problem, setProblem] = useState('');
  const refresh = () => queryClient.invalidateQueries({ queryKey: tokensQuery.queryKey });
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    try {
      const { token } = await api.post<{ token: string }>('/tokens', {
        name: new FormData(form).get('name'),
        scopes,
        expires_in_days: days ? Number(days) : null,
      });
      setMade(token);
      setProblem('');
      form.reset();
      await refresh();
    } catch (e) {
      setProblem(e instanceof Error ? e.message : String(e));
    }
  };
  const revoke = async (token: TokenInfo) => {
    try {
      await api.delete(`/tokens/${token.uid}`);
      await refresh();
    } catch (e) {
      toast({ message: e instanceof Error ? e.message : String(e), bad: true });
    }
  };
  if (error) return <Failure error={error} />;
  return (
    <>
      <p className="muted">{t('tokens.text')}</p>
      {(data?.length ?? 0) > 0 && (
        <table className={classes.table}>
          <thead>
            <tr>
              <th>{t('tokens.name')}</th>
              <th>{t('tokens.scopes')}</th>
              <th>{t('tokens.used')}</th>
              <th>{t('tokens.expires')}</th>
              <th aria-label={t('tokens.revoke')} />
            </tr>
          </thead>
          <tbody>
            {data?.map((token) => (
              <tr key={token.uid}>
                <td>{token.name}</td>
                <td>{token.scopes.map((scope) => t(`scope.${scope}`)).join(', ')}</td>
                <td>{token.used_at ? <When at={token.used_at} /> : t('tokens.never')}</td>
                <td>{token.expires_at ? formatDate(token.expires_at) : t('tokens.noEnd')}</td>
                <td>
                  <Button variant="subtle" size="compact-xs" onClick={() => void revoke(token)}>
                    {t('tokens.revoke')}
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {made && (
        <div className={classes.made} role="status">
          <p>{t('tokens.once')}</p>
          <Command text={made} />
        </div>
      )}
      <form className={classes.column} onSubmit={(event) => void submit(event)}>
        <TextInput
          name="name"
          label={t('tokens.name')}
          placeholder={t('tokens.nameExample')}
          required
          maxLength={200}
          error={problem || null}
        />
        <Checkbox.Group
          label={t('tokens.scopes')}
          value={scopes}
          onChange={(values) => setScopes(values as Scope[])}
        >
          <div className={classes.scopes}>
            {SCOPES.map((scope) => (
              <Checkbox key={scope} value={scope} label={t(`scope.${scope}`)} />
            ))}
          </div>
        </Checkbox.Group>
        <Select
          label={t('tokens.expires')}
          allowDeselect={false}
          data={DAYS.map((value) => ({
            value,
            label: value ? t('tokens.days', { count: Number(value) }) : t('tokens.noEnd'),
          }))}
          value={days}
          onChange={(value) => setDays(value ?? '')}
        />
        <Button type="submit" size="sm" disabled={!scopes.length}>
          {t('tokens.make')}
        </Button>
      </form>
    </>
  );
}
