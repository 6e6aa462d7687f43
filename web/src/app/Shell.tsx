import { Button, Menu, Tooltip, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import {
  IconAlertTriangle,
  IconBrightness,
  IconChartLine,
  IconDeviceDesktopAnalytics,
  IconFolders,
  IconKeyboard,
  IconLanguage,
  IconLogout,
  IconUpload,
  IconUser,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, NavLink, useNavigate } from 'react-router';
import { api } from '@/api/client';
import { connection } from '@/api/connection';
import { live } from '@/api/live';
import { facetsQuery, queryClient, useMe } from '@/api/queries';
import { LANGUAGES, type Language, setLanguage } from '@/app/i18n';
import classes from '@/app/Shell.module.css';
import { SearchBox } from '@/parts/SearchBox';
import { Shortcuts } from '@/parts/Shortcuts';
import { Toasts, toast } from '@/parts/Toasts';
import { DropAnywhere } from '@/upload/DropAnywhere';
import { UploadBadge } from '@/upload/UploadBadge';

export function Shell({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, []);
  useLiveRefresh();
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#page">
        {t('shell.skip')}
      </a>
      <header className={classes.header}>
        <Link to="/measurements" className={classes.brand} aria-label={t('shell.home')}>
          <img src="/mark.svg" width={26} height={26} alt="" />
          <span>{t('app.name')}</span>
        </Link>
        <SearchBox />
        <div className={classes.tools}>
          <UploadBadge />
          <AccountMenu />
        </div>
      </header>
      <Navigation />
      <main id="page" className={classes.main} tabIndex={-1}>
        <AwayBanner />
        <div className={classes.page}>{children}</div>
      </main>
      <Shortcuts />
      <DropAnywhere />
      <Toasts />
    </div>
  );
}

/** Counts, instruments and open measurements follow the event stream; at most one refresh of each per two seconds. */
function useLiveRefresh() {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const dirty = new Set<string>();
    const stop = live.subscribe((events) => {
      for (const event of events) {
        dirty.add('instruments');
        if (event.kind === 'measurement') {
          dirty.add('facets').add('failures');
          void queryClient.invalidateQueries({ queryKey: ['measurement', event.uid] });
        }
      }
      timer ??= setTimeout(() => {
        timer = null;
        for (const key of dirty) void queryClient.invalidateQueries({ queryKey: [key] });
        dirty.clear();
      }, 2000);
    });
    return () => {
      stop();
      if (timer) clearTimeout(timer);
    };
  }, []);
}

function Navigation() {
  const { t } = useTranslation();
  const me = useMe();
  const { data } = useQuery({ ...facetsQuery({}), staleTime: 5000 });
  const failed = data?.state.find((v) => v.value === 'not_translated')?.count ?? 0;
  const pages = [
    { to: '/measurements', icon: IconChartLine, label: t('nav.measurements') },
    { to: '/instruments', icon: IconDeviceDesktopAnalytics, label: t('nav.instruments') },
    ...(failed > 0
      ? [{ to: '/not-translated', icon: IconAlertTriangle, label: t('nav.notTranslated'), count: failed }]
      : []),
    ...(me.projects.some((p) => p.role !== 'viewer')
      ? [{ to: '/upload', icon: IconUpload, label: t('nav.upload') }]
      : []),
    ...(me.projects.length || me.account.is_admin
      ? [{ to: '/projects', icon: IconFolders, label: t('nav.projects') }]
      : []),
  ];
  return (
    <nav className={classes.nav} aria-label={t('nav.label')}>
      {pages.map(
        ({
          to,
          icon: Icon,
          label,
          count,
        }: {
          to: string;
          icon: typeof IconUser;
          label: string;
          count?: number;
        }) => (
          <NavLink key={to} to={to} className={classes.link} title={label}>
            <Icon size={18} stroke={1.7} aria-hidden />
            <span className={classes.label}>{label}</span>
            {count !== undefined && <span className={classes.count}>{count}</span>}
          </NavLink>
        ),
      )}
    </nav>
  );
}

function AccountMenu() {
  const { t, i18n } = useTranslation();
  const me = useMe();
  const navigate = useNavigate();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const choose = async (language: Language) => {
    await setLanguage(language);
    api.patch('/me', { locale: language }).catch(() => undefined); // only a convenience for the next browser
  };
  const leave = async () => {
    await api.delete('/session').catch(() => undefined);
    queryClient.clear();
    navigate('/sign-in');
  };
  const other = LANGUAGES.find((l) => l !== i18n.language) ?? 'en';
  return (
    <>
      <Tooltip label={t('account.language')}>
        <UnstyledButton
          className={classes.language}
          onClick={() => void choose(other)}
          aria-label={t('account.switchTo', { language: t(`language.${other}`) })}
        >
          <IconLanguage size={17} stroke={1.7} aria-hidden /> <span>{t(`language.short.${other}`)}</span>
        </UnstyledButton>
      </Tooltip>
      <Menu position="bottom-end">
        <Menu.Target>
          <UnstyledButton
            className={classes.person}
            aria-label={t('account.menu', { name: me.account.name })}
          >
            <span aria-hidden>{initials(me.account.name || me.account.email)}</span>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            {me.account.name}
            <br />
            {me.account.email}
          </Menu.Label>
          <Menu.Item leftSection={<IconUser size={16} />} component={Link} to="/account">
            {t('account.title')}
          </Menu.Item>
          <Menu.Item
            leftSection={<IconKeyboard size={16} />}
            onClick={() => window.dispatchEvent(new Event('zairyo:shortcuts'))}
          >
            {t('shortcuts.title')}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Label>{t('account.theme')}</Menu.Label>
          {(['auto', 'light', 'dark'] as const).map((scheme) => (
            <Menu.Item
              key={scheme}
              role="menuitemradio"
              aria-checked={colorScheme === scheme}
              leftSection={<IconBrightness size={16} />}
              rightSection={colorScheme === scheme ? <span aria-hidden>✓</span> : null}
              onClick={() => setColorScheme(scheme)}
            >
              {t(`theme.${scheme}`)}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void leave()}>
            {t('account.signOut')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}

const initials = (name: string) => {
  const words = name.trim().split(/\s+/);
  return ((words[0]?.[0] ?? '') + (words.length > 1 ? (words.at(-1)?.[0] ?? '') : '')).toUpperCase();
};

function AwayBanner() {
  const { t } = useTranslation();
  const state = useSyncExternalStore(connection.subscribe, connection.state);
  const [back, setBack] = useState(false);
  useEffect(() => {
    if (state.away) setBack(true);
    else if (back) {
      setBack(false);
      toast({ message: t('away.back') });
    }
  }, [state.away, back, t]);
  if (state.signedOut) {
    return (
      <div className={classes.banner} role="alert">
        <span>{t('away.signedOut')}</span>
        <Button
          component="a"
          variant="default"
          href={`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`}
        >
          {t('signIn.submit')}
        </Button>
      </div>
    );
  }
  if (!state.away) return null;
  return (
    <div className={classes.banner} role="alert">
      <span>{t('away.message')}</span>
      <Button variant="default" onClick={() => void connection.retry()}>
        {t('away.retry')}
      </Button>
    </div>
  );
}
