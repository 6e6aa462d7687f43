import { Center, Loader } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useEffect } from 'react';
import { Navigate, Route, Routes, useLocation } from 'react-router';
import { Away } from '@/api/client';
import { meQuery } from '@/api/queries';
import { adoptLanguage } from '@/app/i18n';
import { Shell } from '@/app/Shell';
import { Boundary } from '@/parts/Boundary';
import { Failure, PageSkeleton } from '@/parts/States';

const SignIn = lazy(() => import('@/pages/SignIn'));
const Measurements = lazy(() => import('@/pages/measurements/Measurements'));
const Measurement = lazy(() => import('@/pages/measurement/Measurement'));
const Compare = lazy(() => import('@/pages/measurement/Compare'));
const NotTranslated = lazy(() => import('@/pages/NotTranslated'));
const Instruments = lazy(() => import('@/pages/instruments/Instruments'));
const Instrument = lazy(() => import('@/pages/instruments/Instrument'));
const Upload = lazy(() => import('@/pages/Upload'));
const Projects = lazy(() => import('@/pages/Projects'));
const Account = lazy(() => import('@/pages/account/Account'));
const NotFound = lazy(() => import('@/pages/NotFound'));

export function App() {
  return (
    <Suspense fallback={<Waiting />}>
      <Routes>
        <Route path="/sign-in" element={<SignIn />} />
        <Route path="/*" element={<SignedIn />} />
      </Routes>
    </Suspense>
  );
}

function SignedIn() {
  const { data: me, error, isPending, refetch } = useQuery(meQuery);
  const { pathname, search } = useLocation();
  const locale = me?.account.locale;
  useEffect(() => {
    if (locale) adoptLanguage(locale);
  }, [locale]);
  if (isPending) return <Waiting />;
  if (error instanceof Away && !me) return <Failure error={error} retry={() => void refetch()} />;
  if (error && !me) return <Navigate to={`/sign-in?next=${encodeURIComponent(pathname + search)}`} replace />;
  return (
    <Shell>
      <Boundary key={pathname}>
        <Suspense fallback={<PageSkeleton />}>
          <Routes>
            <Route path="/" element={<Navigate to="/measurements" replace />} />
            <Route path="/measurements" element={<Measurements />} />
            <Route path="/measurements/:uid" element={<Measurement />} />
            <Route path="/compare" element={<Compare />} />
            <Route path="/not-translated" element={<NotTranslated />} />
            <Route path="/instruments" element={<Instruments />} />
            <Route path="/instruments/:slug" element={<Instrument />} />
            <Route path="/upload" element={<Upload />} />
            <Route path="/projects" element={<Projects />} />
            <Route path="/projects/:slug" element={<Projects />} />
            <Route path="/account" element={<Account />} />
            <Route path="*" element={<NotFound />} />
          </Routes>
        </Suspense>
      </Boundary>
    </Shell>
  );
}

function Waiting() {
  return (
    <Center h="100vh">
      <Loader size="sm" />
    </Center>
  );
}
