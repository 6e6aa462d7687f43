import { Button, Checkbox, TextInput, UnstyledButton } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Params } from '@/api/client';
import { facetsQuery } from '@/api/queries';
import type { FacetValue } from '@/api/types';
import { techniqueColour } from '@/app/techniques';
import { formatNumber } from '@/lib/numbers';
import { FACETS, type FacetKey, type ListState, toggleFacet } from '@/lib/urlstate';
import classes from '@/pages/measurements/Facets.module.css';
import { NumericRange } from '@/pages/measurements/NumericRange';
import { useLabel } from '@/parts/Bits';

const FEW = 6;
const OPEN_RANGES = 3;

export function Facets(props: { state: ListState; params: Params; change: (next: ListState) => void }) {
  const { state, params, change } = props;
  const { t } = useTranslation();
  const { data, isPlaceholderData } = useQuery(facetsQuery(params));
  const [all, setAll] = useState(false);
  if (!data) return null;
  const ranges = all ? data.numeric : data.numeric.slice(0, OPEN_RANGES);
  return (
    <div className={classes.facets} data-stale={isPlaceholderData || undefined}>
      {FACETS.map((key) => (
        <Values key={key} name={key} values={data[key]} state={state} change={change} />
      ))}
      <Group title={t('facets.time')}>
        <div className={classes.dates}>
          {(['after', 'before'] as const).map((key) => (
            <TextInput
              key={key}
              type="date"
              size="xs"
              label={t(`facets.${key}`)}
              value={/^\d{4}-\d\d-\d\d$/.test(state[key]) ? state[key] : ''}
              onChange={(event) => change({ ...state, [key]: event.currentTarget.value })}
            />
          ))}
        </div>
      </Group>
      {ranges.length > 0 && (
        <Group title={t('facets.conditions')}>
          {ranges.map((facet) => (
            <NumericRange
              key={facet.name}
              facet={facet}
              query={state.q}
              change={(q) => change({ ...state, q })}
            />
          ))}
          {data.numeric.length > OPEN_RANGES && (
            <Button variant="subtle" size="compact-xs" onClick={() => setAll(!all)}>
              {all ? t('facets.fewer') : t('facets.more', { count: data.numeric.length - OPEN_RANGES })}
            </Button>
          )}
        </Group>
      )}
      {data.sampled && <p className={classes.note}>{t('facets.sampled')}</p>}
    </div>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  const [open, setOpen] = useState(true);
  return (
    <section className={classes.group}>
      <h2>
        <UnstyledButton className={classes.head} aria-expanded={open} onClick={() => setOpen(!open)}>
          {title}
          <IconChevronDown size={14} data-open={open || undefined} aria-hidden />
        </UnstyledButton>
      </h2>
      {open && children}
    </section>
  );
}

function Values(props: {
  name: FacetKey;
  values: FacetValue[];
  state: ListState;
  change: (next: ListState) => void;
}) {
  const { name, values, state, change } = props;
  const { t } = useTranslation();
  const label = useLabel();
  const [all, setAll] = useState(false);
  const chosen = state.facets[name] ?? [];
  // A choice that matches nothing any more stays visible, so that it can be taken back.
  const missing = chosen.filter((value) => !values.some((v) => v.value === value));
  const listed = [...values, ...missing.map((value) => ({ value, label: value, label_ja: value, count: 0 }))];
  if (listed.length === 0 || (listed.length === 1 && chosen.length === 0 && name === 'project')) return null;
  const shown = all ? listed : listed.filter((v, k) => k < FEW || chosen.includes(v.value));
  return (
    <Group title={t(`facets.${name}`)}>
      <ul className={classes.values}>
        {shown.map((v) => (
          <li key={v.value}>
            <label className={classes.value}>
              <Checkbox
                checked={chosen.includes(v.value)}
                onChange={() => change(toggleFacet(state, name, v.value))}
              />
              {name === 'technique' && <i style={{ background: techniqueColour(v.value) }} />}
              <span className="cut">{name === 'state' ? t(`state.${v.value}`) : label(v)}</span>
              <span className={classes.count}>{formatNumber(v.count)}</span>
            </label>
          </li>
        ))}
      </ul>
      {listed.length > FEW && (
        <Button variant="subtle" size="compact-xs" onClick={() => setAll(!all)}>
          {all ? t('facets.fewer') : t('facets.more', { count: listed.length - FEW })}
        </Button>
      )}
    </Group>
  );
}
