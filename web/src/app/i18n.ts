import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import en from '@/locales/en.json';

export const LANGUAGES = ['en', 'ja'] as const;
export type Language = (typeof LANGUAGES)[number];

const KEY = 'zairyo.language';

const known = (text: string | null | undefined): Language | null =>
  LANGUAGES.find((l) => text === l || text?.startsWith(`${l}-`)) ?? null;

export function preferredLanguage(): Language {
  return known(localStorage.getItem(KEY)) ?? known(navigator.language) ?? 'en';
}

/** English comes with the page; another language is fetched when it is chosen. */
export async function setLanguage(language: Language): Promise<void> {
  localStorage.setItem(KEY, language);
  await load(language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

/**
 * What the account remembers counts where this browser was never told otherwise. English is every account's
 * beginning, so it says nothing against the browser's own language.
 */
export function adoptLanguage(locale: string): void {
  const language = known(locale);
  if (!localStorage.getItem(KEY) && language && language !== 'en' && language !== i18next.language)
    void setLanguage(language);
}

async function load(language: Language): Promise<void> {
  if (language === 'en' || i18next.hasResourceBundle(language, 'translation')) return;
  const bundle = await import('@/locales/ja.json');
  i18next.addResourceBundle(language, 'translation', bundle.default);
}

export async function startI18n(): Promise<void> {
  await i18next.use(initReactI18next).init({
    resources: { en: { translation: en } },
    lng: 'en',
    fallbackLng: 'en',
    interpolation: { escapeValue: false },
  });
  const language = preferredLanguage();
  await load(language);
  if (language !== 'en') await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}
