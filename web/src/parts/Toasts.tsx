import { Button, CloseButton } from '@mantine/core';
import { useEffect, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import classes from '@/parts/parts.module.css';

/** Short messages at the foot of the page; one may be undone. */
export interface ToastSpec {
  message: string;
  bad?: boolean;
  undo?: () => void;
}

interface Toast extends ToastSpec {
  id: number;
}

let shown: Toast[] = [];
let counter = 0;
const listeners = new Set<() => void>();

function set(next: Toast[]) {
  shown = next;
  for (const listener of listeners) listener();
}

export function toast(spec: ToastSpec): void {
  counter += 1;
  set([...shown.slice(-2), { ...spec, id: counter }]);
}

const drop = (id: number) => set(shown.filter((one) => one.id !== id));

export function Toasts() {
  const list = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => shown,
  );
  return (
    <div className={classes.toasts} role="status" aria-live="polite">
      {list.map((one) => (
        <OneToast key={one.id} toast={one} />
      ))}
    </div>
  );
}

function OneToast({ toast: one }: { toast: Toast }) {
  const { t } = useTranslation();
  useEffect(() => {
    const timer = setTimeout(() => drop(one.id), one.undo || one.bad ? 9000 : 4500);
    return () => clearTimeout(timer);
  }, [one]);
  return (
    <div className={classes.toast} data-bad={one.bad || undefined}>
      <span>{one.message}</span>
      {one.undo && (
        <Button
          variant="subtle"
          size="compact-xs"
          onClick={() => {
            one.undo?.();
            drop(one.id);
          }}
        >
          {t('common.undo')}
        </Button>
      )}
      <CloseButton size="sm" aria-label={t('common.close')} onClick={() => drop(one.id)} />
    </div>
  );
}
