import { expect, test } from 'vitest';
import { evenPlaces } from '@/lib/arrays';

test('powers that were halved each time are shown where they are', () => {
  const found = evenPlaces([16, 8, 4, 2, 1]);
  expect(found?.places[0]).toBe(16);
  expect(found?.places.at(-1)).toBe(1);
  expect(found?.places.length).toBe(16);
  expect(found?.nearest.slice(0, 5)).toEqual([0, 0, 0, 0, 1]);
  expect(found?.nearest.at(-1)).toBe(4);
});

test('a narrow step does not make the picture endless', () => {
  expect(evenPlaces([0, 1e-9, 1])?.places.length).toBe(1024);
});

test.each([[[0, 1, 2, 3.1]], [[3, 2, 1]], [[0, 5]], [[0, 2, 1, 9]], [[0, 0, 5]], [[]], [[0, Number.NaN, 7]]])(
  'even places, and what is no order, stay as they are: %j',
  (places) => {
    expect(evenPlaces(places)).toBeNull();
  },
);
