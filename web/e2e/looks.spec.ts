import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { BLUE, curve, find, pixels, signIn } from './helpers';
import { ROOT, served } from './server';

const to = served();
const SHOTS = join(ROOT, 'web/test-results/looks');
const IMAGES = join(ROOT, 'docs/images');

async function pages(): Promise<[string, string][]> {
  const xrd = await find(to, 'HL1-2_5');
  const sta = await find(to, 'Douglas technique:sta');
  const [a, b] = [await find(to, 'Scan_C2'), await find(to, 'Scan_C3')];
  return [
    ['measurements', '/measurements'],
    ['measurement', `/measurements/${xrd.uid}`],
    ['table', `/measurements/${sta.uid}?view=table`],
    ['compare', `/compare?m=${xrd.uid},${a.uid},${b.uid}&offset=0.5`],
    ['instruments', '/instruments'],
    ['instrument', '/instruments/empyrean'],
    ['not-translated', '/not-translated'],
    ['upload', '/upload'],
    ['projects', '/projects'],
    ['account', '/account'],
    ['nowhere', '/nowhere'],
  ];
}

async function settle(page: Page, name: string): Promise<void> {
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0);
  if (name === 'measurement' || name === 'compare')
    await expect.poll(() => pixels(curve(page), BLUE).catch(() => 0)).toBeGreaterThanOrEqual(0);
  await page.evaluate(() => document.fonts.ready);
}

for (const scheme of ['light', 'dark'] as const) {
  for (const width of [1280, 820, 420]) {
    test(`every page in ${scheme} at ${width}: nothing sticks out, nobody is shut out`, async ({
      browser,
    }) => {
      test.setTimeout(240_000);
      mkdirSync(SHOTS, { recursive: true });
      const context = await browser.newContext({
        colorScheme: scheme,
        viewport: { width, height: width < 1280 ? 1100 : 800 },
        reducedMotion: 'reduce',
      });
      const page = await context.newPage();
      await page.goto(`${to.url}/sign-in`);
      await check(page, `sign-in ${scheme} ${width}`);
      await signIn(page, to);
      for (const [name, path] of await pages()) {
        await page.goto(to.url + path);
        await settle(page, name);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(over, `${name} is wider than the screen`).toBeLessThanOrEqual(0);
        const title = page.locator('[role="row"] a, h1').first();
        if (await title.count())
          expect((await title.boundingBox())?.width, `${name} says what it is`).toBeGreaterThan(60);
        await page.screenshot({ path: join(SHOTS, `${name}-${width}-${scheme}.png`) });
        await check(page, `${name} ${scheme} ${width}`);
      }
      await context.close();
    });
  }
}

async function check(page: Page, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'])
    .analyze();
  const said = violations.map(
    (v) =>
      `${v.id}: ${v.nodes
        .map((n) => `${n.target.join(' ')} (${n.failureSummary?.split('\n')[1]?.trim()})`)
        .slice(0, 4)
        .join('; ')}`,
  );
  expect.soft(said, where).toEqual([]);
}

test('the pictures of the documentation', async ({ browser }) => {
  mkdirSync(IMAGES, { recursive: true });
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    deviceScaleFactor: 1.5,
    colorScheme: 'light',
  });
  const page = await context.newPage();
  await signIn(page, to);
  await page.goto(`${to.url}/measurements?state=translated`);
  await expect(page.getByRole('row').nth(8)).toBeVisible();
  await settle(page, 'measurements');
  await page.screenshot({ path: join(IMAGES, 'measurements.png') });
  const { uid } = await find(to, 'HL1-2_5');
  await page.goto(`${to.url}/measurements/${uid}`);
  await expect.poll(() => pixels(curve(page), BLUE)).toBeGreaterThan(800);
  await page.screenshot({ path: join(IMAGES, 'measurement.png') });
  await context.close();
});
