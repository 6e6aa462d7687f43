import { expect, type Locator, type Page } from '@playwright/test';
import { AIKO, get, PASSWORD, type Served } from './server';

export async function signIn(page: Page, to: Served, email = AIKO): Promise<void> {
  // By the page's own form once (see sign-in.spec.ts); elsewhere the cookie is enough.
  const answer = await page.request.post(`${to.url}/api/v1/session`, {
    data: { email, password: PASSWORD },
    headers: { 'X-Zairyo': 'web', Origin: to.url },
  });
  expect(answer.ok(), await answer.text()).toBe(true);
}

interface Found {
  uid: string;
  title: string;
  technique: string;
  path?: string;
}

/** The measurement of an example by words that only it has. */
export async function find(to: Served, q: string): Promise<Found> {
  const page = await get<{ items: Found[] }>(to, `/measurements?limit=5&q=${encodeURIComponent(q)}`);
  const first = page.items[0];
  if (!first) throw new Error(`nothing matches ${q}`);
  return first;
}

/** How many pixels of a canvas are near this colour (as CSS writes it). */
export async function pixels(canvas: Locator, colour: string): Promise<number> {
  return canvas.evaluate((element, wanted) => {
    const source = element as HTMLCanvasElement;
    const copy = document.createElement('canvas');
    copy.width = source.width;
    copy.height = source.height;
    const pen = copy.getContext('2d', { willReadFrequently: true });
    if (!pen) return -1;
    pen.fillStyle = wanted;
    pen.fillRect(0, 0, 1, 1);
    const [r = 0, g = 0, b = 0] = pen.getImageData(0, 0, 1, 1).data;
    pen.clearRect(0, 0, 1, 1);
    pen.drawImage(source, 0, 0);
    const { data } = pen.getImageData(0, 0, copy.width, copy.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) {
      const near = (a: number | undefined, c: number) => Math.abs((a ?? 0) - c) < 40;
      if ((data[i + 3] ?? 0) > 100 && near(data[i], r) && near(data[i + 1], g) && near(data[i + 2], b))
        count++;
    }
    return count;
  }, colour);
}

/** How many of a picture's pixels differ from its corner: 0 for a blank one. */
export async function drawn(page: Page, target: Locator): Promise<{ colours: number; share: number }> {
  const png = (await target.screenshot()).toString('base64');
  return page.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const copy = document.createElement('canvas');
    copy.width = image.width;
    copy.height = image.height;
    const pen = copy.getContext('2d');
    if (!pen) return { colours: 0, share: 0 };
    pen.drawImage(image, 0, 0);
    const words = new Uint32Array(pen.getImageData(0, 0, copy.width, copy.height).data.buffer);
    const background = words[0];
    return {
      colours: new Set(words).size,
      share: words.filter((w) => w !== background).length / words.length,
    };
  }, png);
}

export const curve = (page: Page) => page.locator('.uplot canvas').first();
export const BLUE = '#2b4fb3';
export const ORANGE = '#c2500c';
