import { Pill } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { Params } from '@/api/client';
import { facetsQuery } from '@/api/queries';
import type { QueryFilter } from '@/api/types';
import { removeToken, tokens } from '@/lib/tokens';
import { FACETS, type ListState, toggleFacet } from '@/lib/urlstate';
import classes from '@/pages/measurements/Measurements.module.css';
import { useLabel } from '@/parts/Bits';

interface Chip {
  key: string;
  text: string;
  remove: () => void;
}

/** What narrows the list, each with a cross; conditions as the server understood them. */
export function Chips(props: {
  state: ListState;
  filters: QueryFilter[];
  params: Params;
  change: (next: ListState) => void;
}) {
  const { state, filters, params, change } = props;
  const { t } = useTranslation();
  const label = useLabel();
  const { data: facets } = useQuery(facetsQuery(params));
  const chips: Chip[] = [];
  for (const key of FACETS) {
    for (const value of state.facets[key] ?? []) {
      const known = facets?.[key].find((v) => v.value === value);
      const name = key === 'state' ? t(`state.${value}`) : known ? label(known) : value;
      chips.push({
        key: `${key}:${value}`,
        text: t('facets.chip', { key: t(`facets.${key}`), value: name }),
        remove: () => change(toggleFacet(state, key, value)),
      });
    }
  }
  const understood = [...filters];
  tokens(state.q).forEach((token, k) => {
    if (token.kind === 'word') return;
    const at = token.kind === 'range' ? understood.findIndex((f) => f.key === token.key) : -1;
    const said = at >= 0 ? understood.splice(at, 1)[0]?.label : undefined;
    chips.push({
      key: `q${k}`,
      text: said ?? token.text,
      remove: () => change({ ...state, q: removeToken(state.q, token) }),
    });
  });
  for (const key of ['after', 'before'] as const) {
    if (state[key]) {
      chips.push({
        key,
        text: t(`facets.${key}Chip`, { date: state[key] }),
        remove: () => change({ ...state, [key]: '' }),
      });
    }
  }
  if (!chips.length) return null;
  return (
    <div className={classes.chips}>
      {chips.map((chip) => (
        <Pill
          key={chip.key}
          size="sm"
          withRemoveButton
          onRemove={chip.remove}
          removeButtonProps={{
            'aria-label': t('facets.remove', { filter: chip.text }),
            'aria-hidden': false,
            tabIndex: 0,
          }}
        >
          {chip.text}
        </Pill>
      ))}
    </div>
  );
}
