import type { EntryInfo } from '@/api/types';
import vocabulary from '@/lib/vocabulary.json';

const WORDS: Record<string, { en: string; ja: string }> = vocabulary.words;
const FAMILIES: Record<string, string> = vocabulary.families;

/** Folders that are one measurement: endings of their names, or `/` and the name of a file in them. */
export const FOLDER_FORMATS: readonly string[] = vocabulary.folders;

/** The family of a technique, which colours it. */
export const familyOf = (technique: string) => FAMILIES[technique] ?? 'generic';

/** Whether the field counts the rows of an image from the top. */
export const isMicrograph = (technique: string) =>
  familyOf(technique) === 'microscopy' || technique === 'optical_microscopy';

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

/** The label without its unit; the vocabulary's word where the file gave none of its own. */
export function spoken(item: { name: string; label: string; unit: string | null }, language: string): string {
  const ending = item.unit ? ` (${item.unit})` : '';
  const bare = ending && item.label.endsWith(ending) ? item.label.slice(0, -ending.length) : item.label;
  const known = WORDS[item.name];
  if (!known) return bare;
  if (same(bare, item.name.replaceAll('_', ' ')) || same(bare, known.en))
    return language === 'ja' ? known.ja : known.en;
  return bare;
}

/** The entry with its axes and signals named in the page's language. */
export function inLanguage(entry: EntryInfo, language: string): EntryInfo {
  const named = <T extends { name: string; label: string; unit: string | null }>(items: T[]) =>
    items.map((item) => ({ ...item, label: spoken(item, language) }));
  return { ...entry, axes: named(entry.axes), signals: named(entry.signals) };
}
