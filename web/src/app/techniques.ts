import { familyOf } from '@/lib/vocabulary';

/** A family of techniques has one colour (`--z-family-*` in global.css), used for techniques only. */
export const techniqueColour = (technique: string) => `var(--z-family-${familyOf(technique)})`;
