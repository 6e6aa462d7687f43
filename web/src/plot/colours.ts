import { useComputedColorScheme } from '@mantine/core';
import { useCallback } from 'react';

/** Told apart by people with any colour vision on either ground; lines differ in dashes too. */
const LIGHT = ['#2b4fb3', '#c2500c', '#0c7d62', '#9b2f86', '#7d6200', '#0878a6', '#b3261e', '#565e6b'];
const DARK = ['#8fabf6', '#f4a261', '#54c7a3', '#e58fd3', '#d9bd55', '#62c4ee', '#f28b82', '#b3bac5'];
const DASHES = [[], [12, 3], [6, 3], [12, 3, 3, 3], [3, 2], [18, 4], [8, 3, 2, 3, 2, 3], [4, 4]];

export const PRINT_COLOURS = LIGHT;

/** Colour and dashes of curve number k. */
export function useColours() {
  const scheme = useComputedColorScheme('light');
  return useCallback(
    (k: number) => ({
      colour: (scheme === 'dark' ? DARK : LIGHT)[k % LIGHT.length] ?? '#888',
      dash: DASHES[k % DASHES.length] ?? [],
    }),
    [scheme],
  );
}
