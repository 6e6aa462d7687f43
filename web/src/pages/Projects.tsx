import { Button, Select, TextInput } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, NavLink, useNavigate, useParams } from 'react-router';
import { api, Problem } from '@/api/client';
import { membersQuery, meQuery, projectsQuery, queryClient, useMe } from '@/api/queries';
import type { Member, ProjectInfo, Role } from '@/api/types';
import classes from '@/pages/Projects.module.css';
import { Failure, Message, PageSkeleton } from '@/parts/States';
import { toast } from '@/parts/Toasts';

const ROLES: Role[] = ['viewer', 'contributor', 'steward'];
const told = (error: unknown) =>
  toast({ message: error instanceof Error ? error.message : String(error), bad: true });

/** People and the measurements they own together. */
export default function Projects() {
  const { t } = useTranslation();
  useDocumentTitle(t('title.page', { page: t('nav.projects') }));
  const me = useMe();
  const { slug } = useParams();
  const { data, error, refetch } = useQuery(projectsQuery);
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <PageSkeleton />;
  const chosen = data.find((p) => p.slug === slug) ?? (slug ? undefined : data[0]);
  return (
    <div className={classes.page}>
      <aside className={classes.list} aria-label={t('nav.projects')}>
        <h1>{t('nav.projects')}</h1>
        <ul>
          {data.map((p) => (
            <li key={p.slug}>
              <NavLink to={`/projects/${p.slug}`} className={p === chosen ? classes.chosen : ''}>
                <span className="cut">{p.name}</span>
                <span className="muted">{p.members}</span>
              </NavLink>
            </li>
          ))}
        </ul>
        {me.account.is_admin && <NewProject />}
      </aside>
      {chosen ? (
        <OneProject key={chosen.slug} project={chosen} />
      ) : (
        <Message
          title={t(slug ? 'error.notFound' : 'projects.none')}
          text={t(slug ? 'error.notFoundText' : 'projects.noneText')}
        />
      )}
    </div>
  );
}

function NewProject() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [problem, setProblem] = useState('');
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    try {
      const made = await api.post<ProjectInfo>('/projects', { name: new FormData(form).get('name') });
      form.reset();
      setProblem('');
      await queryClient.invalidateQueries({ queryKey: projectsQuery.queryKey });
      await queryClient.invalidateQueries({ queryKey: meQuery.queryKey });
      navigate(`/projects/${made.slug}`);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form className={classes.new} onSubmit={(event) => void submit(event)}>
      <TextInput
        size="xs"
        name="name"
        label={t('projects.new')}
        required
        maxLength={200}
        error={problem || null}
      />
      <Button type="submit" variant="default">
        {t('projects.make')}
      </Button>
    </form>
  );
}

function OneProject({ project }: { project: ProjectInfo }) {
  const { t } = useTranslation();
  const me = useMe();
  const { data, error, refetch } = useQuery(membersQuery(project.slug));
  const mayManage = me.account.is_admin || project.role === 'steward';
  const refresh = () => queryClient.invalidateQueries({ queryKey: projectsQuery.queryKey });
  const put = async (email: string, role: Role) => {
    await api.put(`/projects/${project.slug}/members`, { email, role });
    await refresh();
  };
  const remove = async (member: Member) => {
    try {
      await api.delete(`/projects/${project.slug}/members/${member.account_uid}`);
      await refresh();
      toast({
        message: t('projects.removed', { name: member.name }),
        undo: () => void put(member.email, member.role).catch(told),
      });
    } catch (e) {
      told(e);
    }
  };
  return (
    <section className={classes.one} aria-label={project.name}>
      <div className={classes.head}>
        <h2>{project.name}</h2>
        <Button
          component={Link}
          variant="default"
          to={`/measurements?project=${encodeURIComponent(project.slug)}`}
        >
          {t('nav.measurements')}
        </Button>
      </div>
      <p className="muted">
        {project.role ? t('projects.you', { role: t(`role.${project.role}`) }) : t('projects.notMember')}
      </p>
      {error ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : (
        <table className={classes.members}>
          <thead>
            <tr>
              <th>{t('projects.member')}</th>
              <th>{t('projects.role')}</th>
              <th aria-label={t('projects.remove')} />
            </tr>
          </thead>
          <tbody>
            {(data ?? []).map((member) => (
              <tr key={member.account_uid}>
                <td>
                  {member.name}
                  <span className="muted"> {member.email}</span>
                </td>
                <td>
                  {mayManage ? (
                    <Select
                      size="xs"
                      w={{ base: 118, sm: 170 }}
                      aria-label={t('projects.roleOf', { name: member.name })}
                      allowDeselect={false}
                      data={ROLES.map((role) => ({ value: role, label: t(`role.${role}`) }))}
                      value={member.role}
                      onChange={(role) => role && void put(member.email, role as Role).catch(told)}
                    />
                  ) : (
                    t(`role.${member.role}`)
                  )}
                </td>
                <td>
                  {mayManage && (
                    <Button variant="subtle" size="compact-xs" onClick={() => void remove(member)}>
                      {t('projects.remove')}
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {mayManage && <AddMember put={put} />}
    </section>
  );
}

function AddMember({ put }: { put: (email: string, role: Role) => Promise<void> }) {
  const { t } = useTranslation();
  const [role, setRole] = useState<Role>('contributor');
  const [problem, setProblem] = useState('');
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    try {
      await put(String(new FormData(form).get('email')), role);
      form.reset();
      setProblem('');
    } catch (error) {
      setProblem(
        error instanceof Problem && error.status === 404
          ? t('projects.noAccount')
          : error instanceof Error
            ? error.message
            : String(error),
      );
    }
  };
  return (
    <form className={classes.add} onSubmit={(event) => void submit(event)}>
      <TextInput
        size="xs"
        w={260}
        name="email"
        type="email"
        label={t('projects.addMember')}
        placeholder={t('projects.emailExample')}
        required
        error={problem || null}
      />
      <Select
        size="xs"
        w={150}
        aria-label={t('projects.role')}
        allowDeselect={false}
        data={ROLES.map((r) => ({ value: r, label: t(`role.${r}`) }))}
        value={role}
        onChange={(r) => r && setRole(r as Role)}
      />
      <Button type="submit">{t('projects.add')}</Button>
    </form>
  );
}
