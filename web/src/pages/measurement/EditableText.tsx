import { TextInput, UnstyledButton } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import { measurementQuery, queryClient } from '@/api/queries';
import type { Detail } from '@/api/types';
import classes from '@/pages/measurement/Measurement.module.css';
import { toast } from '@/parts/Toasts';

type Correction = Partial<Pick<Detail, 'title' | 'sample' | 'operator'>>;

/** Correct a measurement: shown at once, told to the server, and undone by one click. */
export function useCorrection(data: Detail) {
  const { t } = useTranslation();
  const send = async (change: Correction): Promise<void> => {
    const key = measurementQuery(data.uid).queryKey;
    const before = queryClient.getQueryData<Detail>(key);
    queryClient.setQueryData<Detail>(key, (old) => old && { ...old, ...change });
    try {
      queryClient.setQueryData(key, await api.patch<Detail>(`/measurements/${data.uid}`, change));
    } catch (error) {
      queryClient.setQueryData(key, before);
      throw error;
    }
    void queryClient.invalidateQueries({ queryKey: ['measurements'] });
  };
  return (change: Correction) => {
    const old = Object.fromEntries(
      Object.keys(change).map((k) => [k, data[k as keyof Correction]]),
    ) as Correction;
    send(change).then(
      () => toast({ message: t('measurement.saved'), undo: () => void send(old) }),
      (error: unknown) =>
        toast({ message: error instanceof Error ? error.message : String(error), bad: true }),
    );
  };
}

interface Props {
  value: string;
  label: string;
  editable: boolean;
  save: (value: string) => void;
  empty?: string;
  big?: boolean;
}

/** Text that becomes a field when it is clicked; Enter keeps, Esc leaves it as it was. */
export function EditableText({ value, label, editable, save, empty = '', big = false }: Props) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState<string | null>(null);
  const finish = () => {
    if (draft !== null && draft.trim() !== value && (draft.trim() || !big)) save(draft.trim());
    setDraft(null);
  };
  if (draft !== null) {
    return (
      <TextInput
        size="xs"
        autoFocus
        aria-label={label}
        value={draft}
        maxLength={big ? 500 : 200}
        onChange={(event) => setDraft(event.currentTarget.value)}
        onBlur={finish}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return;
          if (event.key === 'Enter') finish();
          if (event.key === 'Escape') {
            event.stopPropagation();
            setDraft(null);
          }
        }}
      />
    );
  }
  const text = value ? (
    <span className={big ? '' : 'cut'}>{value}</span>
  ) : (
    <span className="muted">{empty}</span>
  );
  const shown = editable ? (
    <UnstyledButton
      className={`${classes.editable} ${big ? classes.big : ''}`}
      onClick={() => setDraft(value)}
      aria-label={t('measurement.edit', { label, value: value || empty })}
    >
      {text}
      <IconPencil size={14} aria-hidden />
    </UnstyledButton>
  ) : (
    <span className={big ? classes.big : ''}>{text}</span>
  );
  return big ? <h1 className={classes.big}>{shown}</h1> : shown;
}
