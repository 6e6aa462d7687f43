import { CloseButton, Combobox, Kbd, TextInput, useCombobox } from '@mantine/core';
import { useDebouncedValue, useHotkeys } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation, useNavigate, useSearchParams } from 'react-router';
import { suggestQuery } from '@/api/queries';
import { complete, tokenAt } from '@/lib/tokens';
import { readList, writeList } from '@/lib/urlstate';
import { useLabel } from '@/parts/Bits';
import classes from '@/parts/parts.module.css';

const EXAMPLES = [
  'technique:xrd',
  'sample:LCO-12',
  'temperature>300 degC',
  'after:2026-01',
  '"cold pressed"',
] as const;

/** The search of every page: writes `q` of the measurements' URL, suggests keys, values and condition names. */
export function SearchBox() {
  const { t } = useTranslation();
  const label = useLabel();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const [search] = useSearchParams();
  const inList = pathname === '/measurements' || pathname === '/not-translated';
  const applied = inList ? (search.get('q') ?? '') : '';
  const [text, setText] = useState(applied);
  const [caret, setCaret] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });

  useEffect(() => setText(applied), [applied]);
  useHotkeys([['/', () => input.current?.select()]]);

  const typed = text.slice(0, caret);
  const [asked] = useDebouncedValue(typed, 120);
  const typing = tokenAt(typed, typed.length).text;
  const { data } = useQuery({
    ...suggestQuery(asked),
    enabled: combobox.dropdownOpened && typing.length > 0,
  });
  const items = typing ? (data ?? []).filter((item) => item.text !== typing) : [];

  const apply = (query: string) => {
    combobox.closeDropdown();
    const state = readList(inList ? search : new URLSearchParams());
    const params = writeList({ ...state, q: query }).toString();
    navigate(`/measurements${params ? `?${params}` : ''}`);
  };
  const take = (value: string) => {
    const next = complete(text, caret, value);
    setText(next.query);
    setCaret(next.caret);
    requestAnimationFrame(() => input.current?.setSelectionRange(next.caret, next.caret));
  };

  return (
    <search className={classes.search}>
      <Combobox store={combobox} onOptionSubmit={take} withinPortal shadow="md">
        <Combobox.Target>
          <TextInput
            ref={input}
            value={text}
            aria-label={t('search.label')}
            placeholder={t('search.placeholder')}
            leftSection={<IconSearch size={16} stroke={1.8} />}
            rightSection={
              text ? (
                <CloseButton
                  size="sm"
                  aria-label={t('search.clear')}
                  onClick={() => {
                    setText('');
                    apply('');
                  }}
                />
              ) : (
                <Kbd size="xs" aria-hidden>
                  /
                </Kbd>
              )
            }
            onChange={(event) => {
              setText(event.currentTarget.value);
              setCaret(event.currentTarget.selectionStart ?? event.currentTarget.value.length);
              combobox.openDropdown();
              combobox.resetSelectedOption();
            }}
            onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
            onFocus={() => combobox.openDropdown()}
            onBlur={() => combobox.closeDropdown()}
            onKeyDown={(event) => {
              if (event.nativeEvent.isComposing) return;
              if (event.key === 'Enter' && combobox.getSelectedOptionIndex() < 0) {
                event.preventDefault();
                apply(text);
                input.current?.blur();
              }
              if (event.key === 'Escape') input.current?.blur();
            }}
          />
        </Combobox.Target>
        <Combobox.Dropdown hidden={items.length === 0 && text !== ''}>
          {text === '' && (
            <div className={classes.hint}>
              {EXAMPLES.map((example, k) => (
                <div key={example} style={{ display: 'contents' }}>
                  <code>{example}</code>
                  <span>{t(`search.example.${k}`)}</span>
                </div>
              ))}
            </div>
          )}
          <Combobox.Options aria-label={t('search.suggestions')}>
            {items.map((item) => (
              <Combobox.Option key={item.text} value={item.text}>
                <span className={classes.suggestion}>
                  <code>{item.text}</code>
                  <span>{label(item)}</span>
                </span>
              </Combobox.Option>
            ))}
          </Combobox.Options>
        </Combobox.Dropdown>
      </Combobox>
    </search>
  );
}
