import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { BLUE, curve, drawn, find, ORANGE, pixels, signIn } from './helpers';
import { AIKO, EXAMPLES, PASSWORD, ROOT, send, sendExample, served, settled, VERA } from './server';

const to = served();
const SHARED = process.env.ZAIRYO_SHARED ?? join(ROOT, '../shared/data');
const MAP = join(SHARED, 'instruments/renishaw-wdf/interrupted_acquisition.wdf');

test.describe('signing in', () => {
  test('says beside the field what is wrong, then leads where the link pointed', async ({ page }) => {
    await page.goto(`${to.url}/instruments`);
    await expect(page).toHaveURL(/sign-in\?next=%2Finstruments/);
    await page.getByLabel('E-mail').fill(AIKO);
    await page.getByLabel(/^Password/).fill('wrong');
    await page.keyboard.press('Enter');
    await expect(page.getByText('E-mail or password is not right')).toBeVisible();
    await page.getByLabel(/^Password/).fill(PASSWORD);
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(`${to.url}/instruments`);
    await expect(page.getByRole('heading', { name: 'Empyrean' })).toBeVisible();
  });

  test('never leads to another site', async ({ page }) => {
    await page.goto(`${to.url}/sign-in?next=//evil.example/`);
    await page.getByLabel('E-mail').fill(AIKO);
    await page.getByLabel(/^Password/).fill(PASSWORD);
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(`${to.url}/measurements`);
  });

  test('and out: the page shows nothing any more', async ({ page }) => {
    await signIn(page, to);
    await page.goto(`${to.url}/measurements`);
    await page.getByRole('button', { name: 'Account of Aiko Tanaka' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await expect(page).toHaveURL(/sign-in/);
    await page.goto(`${to.url}/measurements`);
    await expect(page).toHaveURL(/sign-in/);
  });
});

test.describe('the list', () => {
  test.beforeEach(async ({ page }) => signIn(page, to));

  test('shows a measurement as soon as it is there, without reload', async ({ page }) => {
    await page.goto(`${to.url}/measurements`);
    await expect(page.getByRole('row').first()).toBeVisible();
    await page.evaluate(() => Object.assign(window, { still: true }));
    const uid = await sendExample(to, 'diffraction/Scan_C4.xrdml', {
      project: 'cathodes',
      instrument: 'empyrean',
    });
    const row = page.locator(`[data-uid="${uid}"]`);
    await expect(row).toBeVisible();
    await expect(row).toHaveAttribute('data-fresh', 'true');
    await expect(row.getByText('XRD', { exact: true }).filter({ visible: true })).toBeVisible();
    await expect(row.locator('svg path').first()).toHaveAttribute('d', /M.*L/i);
    expect(await page.getByRole('row').first().getAttribute('data-uid')).toBe(uid);
    expect(await page.evaluate(() => 'still' in window)).toBe(true);
  });

  test('searches conditions with units, and says which token it does not understand', async ({ page }) => {
    await page.goto(`${to.url}/measurements`);
    const box = page.getByLabel('Search measurements');
    await box.fill('temperature_end > 500 degC');
    await box.press('Enter');
    await expect(page).toHaveURL(/q=temperature_end/);
    await expect(page.getByRole('row').filter({ hasText: 'Douglas Fir' }).first()).toBeVisible();
    await expect(page.getByRole('row').filter({ hasText: 'XRD' })).toHaveCount(0);
    await box.fill('temperature_end > 500 degF');
    await box.press('Enter');
    await expect(page.getByRole('row').filter({ hasText: 'Douglas Fir' }).first()).toBeVisible();
    await box.fill('temperature_end > 5 furlongs');
    await box.press('Enter');
    await expect(page.getByRole('heading', { name: 'This search cannot be understood' })).toBeVisible();
    await expect(page.getByText('furlongs').last()).toBeVisible();
  });

  test('suggests keys and values, narrows by facets, and keeps it all in the URL', async ({
    page,
    context,
  }) => {
    await page.goto(`${to.url}/measurements`);
    const box = page.getByLabel('Search measurements');
    await box.pressSequentially('techn');
    await page.getByRole('option', { name: /technique:/ }).click();
    await expect(box).toHaveValue('technique:');
    await box.fill('');
    await box.press('Enter');
    await page.getByRole('complementary', { name: 'Filters' }).getByText('Cycling', { exact: true }).click();
    await expect(page).toHaveURL(/technique=battery_cycling/);
    await expect(page.getByRole('status').filter({ hasText: '2 measurements' })).toBeVisible();
    const other = await context.newPage();
    await other.goto(page.url());
    await expect(other.getByRole('status').filter({ hasText: '2 measurements' })).toBeVisible();
    await page.getByRole('button', { name: /Remove the filter Technique/ }).click();
    await expect(page).toHaveURL(`${to.url}/measurements`);
  });

  test('is walked by the keyboard alone', async ({ page }) => {
    await page.goto(`${to.url}/measurements`);
    await expect(page.getByRole('row').first()).toBeVisible();
    await page.keyboard.press('/');
    await expect(page.getByLabel('Search measurements')).toBeFocused();
    await page.keyboard.type('technique:xrd');
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(/q=technique%3Axrd/);
    await expect(page.getByRole('row').filter({ hasText: 'Raman' })).toHaveCount(0);
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await expect(page.getByText('2 selected')).toBeVisible();
    await page.keyboard.press('c');
    await expect(page).toHaveURL(/compare\?m=/);
    await expect(page.getByRole('heading', { name: '2 measurements compared' })).toBeVisible();
    await page.goBack();
    await page.keyboard.press('?');
    await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await page.keyboard.press('j');
    await expect(page.locator('[role=row]:focus')).toHaveCount(1);
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(/measurements\/[0-9a-f]{32}/);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page).toHaveURL(/q=technique%3Axrd/);
  });

  test('keeps what it shows while the server is away, and says so', async ({ page }) => {
    await page.goto(`${to.url}/measurements`);
    await expect(page.getByRole('row').first()).toBeVisible();
    const before = await page.getByRole('row').count();
    await page.route('**/api/v1/**', (route) => route.abort('connectionrefused'));
    await page.getByRole('button', { name: 'Descending' }).click();
    await expect(page.getByRole('alert')).toContainText('The server does not answer');
    expect(await page.getByRole('row').count()).toBe(before);
    await page.unroute('**/api/v1/**');
    // It goes on by itself; the button is for the impatient.
    await expect(page.getByRole('alert')).toHaveCount(0, { timeout: 30_000 });
    await expect(page).toHaveURL(/sort=received_at/);
  });
});

test.describe('a measurement', () => {
  test.beforeEach(async ({ page }) => signIn(page, to));

  test('is really drawn, zooms by dragging and goes back', async ({ page }) => {
    const { uid } = await find(to, 'HL1-2_5');
    await page.goto(`${to.url}/measurements/${uid}`);
    const canvas = curve(page);
    await expect(canvas).toBeVisible();
    await expect.poll(() => pixels(canvas, BLUE)).toBeGreaterThan(800);
    await expect(
      page.getByRole('img', { name: /XRD: Intensity over 2θ, 5.* to (90|89).*strongest at 1[56]/ }),
    ).toBeVisible();
    const box = await page.locator('.u-over').boundingBox();
    if (!box) throw new Error('no plot');
    await page.mouse.move(box.x + box.width * 0.3, box.y + 80);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 90, { steps: 8 });
    await page.mouse.up();
    await expect(page).toHaveURL(/range=\d/);
    await expect.poll(() => pixels(canvas, BLUE)).toBeGreaterThan(800);
    await page.mouse.move(box.x + box.width * 0.6, box.y + 120);
    await expect(page.getByRole('status').filter({ hasText: /°.*counts/ })).toBeVisible();
    await page.getByText('Log', { exact: true }).click();
    await expect(page).toHaveURL(/scale=log/);
    await page.getByRole('button', { name: 'Whole range' }).click();
    await expect(page).not.toHaveURL(/range=/);
  });

  test('is laid over by others, and the link shows the same', async ({ page }) => {
    const { uid } = await find(to, 'Scan_C2');
    await page.goto(`${to.url}/measurements/${uid}`);
    await page.getByRole('button', { name: 'Overlay', exact: true }).click();
    await page.getByLabel('Search XRD measurements').fill('Scan_C3');
    await page.getByRole('checkbox', { name: /Scan_C3/ }).click();
    await expect(page).toHaveURL(/over=[0-9a-f]{32}/);
    await page.keyboard.press('Escape');
    await expect.poll(() => pixels(curve(page), ORANGE)).toBeGreaterThan(200);
    await page.reload();
    await expect.poll(() => pixels(curve(page), ORANGE)).toBeGreaterThan(200);
    await expect(page.getByRole('button', { name: /Take Scan_C3.* out/ })).toBeVisible();
  });

  test('of a table lets choose its columns, and shows its numbers', async ({ page }) => {
    const { uid } = await find(to, 'technique:battery_cycling');
    await page.goto(`${to.url}/measurements/${uid}`);
    await expect.poll(() => pixels(curve(page), BLUE)).toBeGreaterThan(200);
    await page.goto(`${page.url()}?y=voltage,current`);
    await expect.poll(() => pixels(curve(page), ORANGE)).toBeGreaterThan(100);
    await page.getByText('Table', { exact: true }).click();
    await expect(page).toHaveURL(/view=table/);
    await expect(page.getByRole('columnheader', { name: 'Voltage (V)' })).toBeVisible();
    expect(await page.getByRole('table').getByRole('row').count()).toBeGreaterThan(10);
  });

  test('as a map is drawn by WebGL, with the spectrum of the pixel that was clicked', async ({ page }) => {
    test.skip(!existsSync(MAP), 'shared/data/instruments is not beside the repository');
    const uid = await send(to, new Uint8Array(readFileSync(MAP)), 'a map.wdf', { project: 'cathodes' });
    await settled(to);
    await page.goto(`${to.url}/measurements/${uid}`);
    const image = page.getByRole('img', { name: /^Map of/ });
    await expect(image.locator('canvas')).toBeVisible();
    await expect.poll(async () => (await drawn(page, image.locator('canvas'))).colours).toBeGreaterThan(8);
    const spectrum = page.getByText(/^Spectrum at x = /);
    const before = await spectrum.textContent();
    const box = await image.locator('canvas').boundingBox();
    if (!box) throw new Error('no image');
    await page.mouse.click(box.x + box.width * 0.25, box.y + box.height * 0.2);
    await expect(spectrum).not.toHaveText(before ?? '');
    await expect.poll(() => pixels(curve(page), BLUE)).toBeGreaterThan(200);
  });

  test('is corrected in place and the correction undone', async ({ page }) => {
    const { uid, title } = await find(to, 'poly2');
    await page.goto(`${to.url}/measurements/${uid}`);
    await page.getByRole('button', { name: /^Sample: .*Edit$/ }).click();
    await page.getByLabel('Sample', { exact: true }).fill('PVDF-7');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('button', { name: 'Sample: PVDF-7. Edit' })).toBeVisible();
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect(page.getByRole('button', { name: 'Sample: PVDF-7. Edit' })).toHaveCount(0);
    await expect(page.getByRole('heading', { level: 1 })).toContainText(title);
  });

  test('gives its raw file, byte for byte, and the figure as PNG and SVG', async ({ page }) => {
    const { uid } = await find(to, 'Scan_C2');
    await page.goto(`${to.url}/measurements/${uid}`);
    await expect.poll(() => pixels(curve(page), BLUE)).toBeGreaterThan(200);
    const saved = async (open: string, item: string) => {
      await page.getByRole('button', { name: open, exact: true }).click();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('menuitem', { name: item }).click(),
      ]);
      return readFileSync(await download.path());
    };
    expect(await saved('Download', 'Raw file')).toEqual(
      readFileSync(join(EXAMPLES, 'diffraction/Scan_C2.xrdml')),
    );
    expect((await saved('Download', 'NeXus')).subarray(1, 4).toString()).toBe('HDF');
    expect((await saved('Export', 'Image (PNG)')).subarray(1, 4).toString()).toBe('PNG');
    const svg = (await saved('Export', 'Drawing (SVG)')).toString();
    expect(svg.includes('2θ (°)')).toBe(true);
    expect(/clip-path[^>]* d="(M[^"]*)"/.exec(svg)?.[1]?.split('L').length).toBeGreaterThan(1000);
    expect((await saved('Export', 'Numbers (CSV)')).toString().split('\n').length).toBeGreaterThan(7000);
  });

  test("shows conditions in words with units, the file's own metadata, and where it came from", async ({
    page,
  }) => {
    const { uid } = await find(to, 'Scan_C2');
    await page.goto(`${to.url}/measurements/${uid}`);
    await expect(page.getByRole('complementary', { name: 'Conditions' })).toContainText(
      /X-ray tube voltage\s*40\skV/,
    );
    await page.getByText('As in the file').click();
    await page.getByLabel('Search metadata').fill('anode');
    await expect(
      page
        .getByRole('region', { name: 'All metadata' })
        .getByRole('cell', { name: 'Cu', exact: true })
        .first(),
    ).toBeVisible();
    await expect(page.getByRole('region', { name: 'Where it came from' })).toContainText('panalytical');
  });
});

test.describe('what cannot be read', () => {
  test('is kept, explained and tried again', async ({ page }) => {
    await signIn(page, to);
    const broken = readFileSync(join(EXAMPLES, 'diffraction/Scan_C2.xrdml')).subarray(0, 3000);
    const uid = await send(to, new Uint8Array(broken), 'cut off.xrdml', { project: 'cathodes' });
    await page.goto(`${to.url}/measurements/${uid}`);
    await expect(page.getByRole('region', { name: 'Not translated' })).toContainText('damaged or cut off');
    await page.getByRole('link', { name: 'Not translated' }).click();
    const group = page.getByRole('region', { name: 'The file is damaged or cut off' });
    await expect(group.getByRole('link', { name: /cut off/ })).toBeVisible();
    await group.getByRole('button', { name: 'Try all again' }).click();
    await expect(page.getByRole('status').filter({ hasText: 'translated again' })).toBeVisible();
  });
});

test.describe('upload', () => {
  const bytes = new Uint8Array(20_000_000);
  for (let k = 0; k < bytes.length; k++) bytes[k] = (k * 2654435761) >>> 13;

  test('goes on after a lost connection and a reload, and gets its receipt', async ({ page }) => {
    await signIn(page, to);
    await page.goto(`${to.url}/upload`);
    let sent = 0;
    await page.route('**/api/v1/uploads/*', (route) =>
      route.request().method() === 'PATCH' && sent++ > 0 ? route.abort('connectionreset') : route.continue(),
    );
    await page.setInputFiles('input[type=file]:not([webkitdirectory])', {
      name: 'long run.bin',
      mimeType: 'application/octet-stream',
      buffer: Buffer.from(bytes),
    });
    await expect(page.getByText('Connection lost, goes on by itself')).toBeVisible({ timeout: 30_000 });
    await page.unroute('**/api/v1/uploads/*');
    let first = -1;
    page.on('request', (request) => {
      if (request.method() === 'PATCH' && first < 0) first = Number(request.headers()['upload-offset']);
      if (request.method() === 'PATCH')
        expect(request.headers()['upload-checksum']).toMatch(/^sha256 [\w+/]{43}=$/);
    });
    await page.reload();
    await expect(page.getByText('Received', { exact: true })).toBeVisible({ timeout: 30_000 });
    expect(first).toBeGreaterThan(0); // it went on, it did not begin again
    await page.getByRole('link', { name: 'long run.bin' }).click();
    await expect(page.getByRole('region', { name: 'Raw files' })).toContainText('long run.bin');
  });

  test('takes a folder format as one measurement', async ({ page }) => {
    const folder = join(mkdtempSync(join(tmpdir(), 'zairyo-folder-')), 'run 1.D');
    mkdirSync(join(folder, 'AcqData'), { recursive: true });
    for (const name of ['b.bin', 'a.txt', 'AcqData/c.bin', 'AcqData/d.bin', 'e.bin'])
      writeFileSync(join(folder, name), name);
    await signIn(page, to);
    await page.goto(`${to.url}/upload`);
    await page.setInputFiles('input[webkitdirectory]', folder);
    await expect(page.getByText('Received', { exact: true })).toHaveCount(5);
    await page.getByRole('link', { name: 'run 1.D/b.bin' }).click();
    const files = page.getByRole('region', { name: 'Raw files' });
    await expect(files.getByRole('cell', { name: 'AcqData/c.bin', exact: true })).toBeVisible();
    await expect(files.getByRole('row')).toHaveCount(6);
  });

  test('shows the files of one run as one measurement', async ({ page }) => {
    const head = 'TimeStamp,Experiment time,Temperature Measured (degC)\n';
    const rows = Array.from({ length: 50 }, (_, k) => `13:40:${k / 100 + 10},${k},${20 + k * k}\n`).join('');
    const file = (name: string, text: string) => ({
      name,
      mimeType: 'text/plain',
      buffer: Buffer.from(text),
    });
    await signIn(page, to);
    await page.goto(`${to.url}/upload`);
    await page.setInputFiles('input[type=file]:not([webkitdirectory])', [
      file('Heating_Metadata.log', 'Experiment date, 06-08-2021\nSample, "Gold"\n'),
      file('Heating_Heat_raw.csv', head + rows),
    ]);
    await expect(page.getByText('Received', { exact: true })).toHaveCount(2);
    await page.getByRole('link', { name: 'Heating_Metadata.log' }).click();
    await page.getByRole('note').getByRole('link', { name: 'Open the whole measurement' }).click();
    const files = page.getByRole('region', { name: 'Raw files' });
    await expect(files.getByRole('row')).toHaveCount(3);
    await expect(files.getByRole('cell', { name: 'Heating_Metadata.log', exact: true })).toBeVisible();
    await expect(page.getByRole('note')).toHaveCount(0);
  });

  test('knows a file that is here already', async ({ page }) => {
    await signIn(page, to);
    await page.goto(`${to.url}/upload`);
    const file = { name: 'twice.txt', mimeType: 'text/plain', buffer: Buffer.from('the same\n') };
    await page.setInputFiles('input[type=file]:not([webkitdirectory])', file);
    await expect(page.getByText('Received', { exact: true }).first()).toBeVisible();
    await page.setInputFiles('input[type=file]:not([webkitdirectory])', file);
    await expect(page.getByText('Was here already')).toBeVisible();
  });
});

test.describe('people', () => {
  test('who may only look see no way to change', async ({ page }) => {
    await signIn(page, to, VERA);
    const { uid } = await find(to, 'Scan_C2');
    await page.goto(`${to.url}/measurements/${uid}`);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByRole('button', { name: /Edit$/ })).toHaveCount(0);
    await expect(page.getByRole('link', { name: 'Upload' })).toHaveCount(0);
    await page.goto(`${to.url}/measurements?q=Douglas`);
    await expect(page.getByText('Nothing matches')).toBeVisible();
  });

  test('read it in Japanese, and it stays so', async ({ page }) => {
    await signIn(page, to, VERA);
    await page.goto(`${to.url}/measurements`);
    await page.getByRole('button', { name: 'Switch to 日本語' }).click();
    await expect(page.getByRole('link', { name: '装置' })).toBeVisible();
    await expect(page.locator('html')).toHaveAttribute('lang', 'ja');
    const { uid } = await find(to, 'Scan_C2');
    await page.goto(`${to.url}/measurements/${uid}`);
    await expect(page.getByRole('complementary', { name: '測定条件' })).toContainText('X線管電圧');
    await expect(page.getByRole('img', { name: /強度/ })).toBeVisible();
  });

  test('add an instrument and get a code to pair it', async ({ page }) => {
    await signIn(page, to);
    await page.goto(`${to.url}/instruments`);
    await page.getByRole('button', { name: 'Add an instrument' }).click();
    await page.getByLabel('Name').fill('Raman inVia');
    await page.getByLabel('Place').fill('Room 301');
    await page.getByRole('button', { name: 'Add and pair' }).click();
    await expect(page.getByRole('heading', { name: 'Raman inVia' })).toBeVisible();
    await page.getByRole('button', { name: 'Make a code' }).click();
    await expect(page.getByText(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/)).toBeVisible();
    await expect(page.getByText(/zairyo agent pair http/)).toBeVisible();
    await page.getByLabel('Text at the end').fill('(unclosed');
    await page.getByRole('button', { name: 'Save the rules' }).click();
    await expect(page.getByText(/not a regular expression/)).toBeVisible();
    await page.getByLabel('Text at the end').fill('END');
    await page.getByRole('button', { name: 'Save the rules' }).click();
    await expect(page.getByText('Rules saved')).toBeVisible();
  });

  test('make a token that is shown once and revoke it', async ({ page }) => {
    await signIn(page, to);
    await page.goto(`${to.url}/account`);
    await page.getByPlaceholder('Notebook on my laptop').fill('Notebook');
    await page.getByRole('button', { name: 'Make a token' }).click();
    await expect(page.getByText(/^zry_/)).toBeVisible();
    const row = page.getByRole('row', { name: /Notebook/ });
    await row.getByRole('button', { name: 'Revoke' }).click();
    await expect(row).toHaveCount(0);
  });
});
