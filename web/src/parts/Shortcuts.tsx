import { Kbd, Modal } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import classes from '@/parts/parts.module.css';

const KEYS: [string[], string][] = [
  [['/'], 'search'],
  [['j', 'k'], 'move'],
  [['Enter'], 'open'],
  [['x'], 'select'],
  [['c'], 'compare'],
  [['l'], 'log'],
  [['r'], 'reset'],
  [['Esc'], 'escape'],
  [['?'], 'help'],
];

export function Shortcuts() {
  const { t } = useTranslation();
  const [opened, { open, close, toggle }] = useDisclosure(false);
  useHotkeys([
    ['shift+?', toggle],
    ['?', toggle],
  ]);
  useEffect(() => {
    window.addEventListener('zairyo:shortcuts', open);
    return () => window.removeEventListener('zairyo:shortcuts', open);
  }, [open]);
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={t('shortcuts.title')}
      centered
      size="sm"
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <div className={classes.keys}>
        {KEYS.map(([keys, what]) => (
          <div key={what} style={{ display: 'contents' }}>
            <span>
              {keys.map((key) => (
                <Kbd key={key} size="sm" mr={4}>
                  {key}
                </Kbd>
              ))}
            </span>
            <span>{t(`shortcuts.${what}`)}</span>
          </div>
        ))}
      </div>
    </Modal>
  );
}
