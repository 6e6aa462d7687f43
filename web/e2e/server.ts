/** A real `zairyo serve` on a folder of its own, with people, instruments and the repository's examples. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');
export const EXAMPLES = join(ROOT, 'examples');
export const PASSWORD = 'correct horse battery staple';
export const AIKO = 'aiko.tanaka@example.org';
export const VERA = 'vera.viewer@example.org';

/** What the tests' processes know of the server. */
export interface Served {
  url: string;
  port: number;
  data: string;
  token: string;
}

/** Within this checkout, so that two of them can be tested at once. */
const NOTE = join(ROOT, 'web', 'node_modules', '.zairyo-e2e.json');

export const served = (): Served => JSON.parse(readFileSync(NOTE, 'utf8')) as Served;

const zairyo = () =>
  process.env.ZAIRYO ??
  [join(ROOT, '.venv/bin/zairyo'), join(ROOT, '.venv/Scripts/zairyo.exe')].find(existsSync) ??
  'zairyo';

const admin = (data: string, args: string[], input = '') =>
  execFileSync(zairyo(), ['admin', '--data', data, ...args], { input, encoding: 'utf8' });

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

export async function serve(data: string, port: number): Promise<ChildProcess> {
  const log: string[] = [];
  const child = spawn(zairyo(), [
    'serve',
    '--data',
    data,
    '--port',
    String(port),
    '--workers',
    '1',
    '--log-level',
    'warning',
  ]);
  child.stdout.on('data', (text: Buffer) => log.push(String(text)));
  child.stderr.on('data', (text: Buffer) => log.push(String(text)));
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) break;
    try {
      if ((await fetch(`http://127.0.0.1:${port}/api/v1/health`)).ok) return child;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  child.kill('SIGKILL');
  throw new Error(`zairyo serve did not start:\n${log.join('').slice(-4000)}`);
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await gone;
  clearTimeout(timer);
}

/** Make the platform and start it; the note lets the tests find it. */
export async function open(): Promise<{ served: Served; child: ChildProcess }> {
  const data = mkdtempSync(join(tmpdir(), 'zairyo-e2e-'));
  admin(
    data,
    ['account', 'add', AIKO, '--name', 'Aiko Tanaka', '--admin', '--password-stdin'],
    `${PASSWORD}\n`,
  );
  admin(data, ['account', 'add', VERA, '--name', 'Vera Viewer', '--password-stdin'], `${PASSWORD}\n`);
  admin(data, ['project', 'add', 'Cathodes 2026', '--slug', 'cathodes', '--steward', AIKO]);
  admin(data, ['project', 'add', 'Wood pyrolysis', '--slug', 'wood', '--steward', AIKO]);
  admin(data, ['project', 'member', 'cathodes', VERA, 'viewer']);
  for (const [name, slug, place] of [
    ['Empyrean', 'empyrean', 'Room 204'],
    ['STA 449', 'sta-449', 'Room 118'],
    ['Neware 8-channel', 'neware', 'Battery laboratory'],
  ] as const) {
    admin(data, [
      'instrument',
      'add',
      name,
      '--project',
      'cathodes',
      '--slug',
      slug,
      '--place',
      place,
      '--timezone',
      'Asia/Tokyo',
    ]);
  }
  const said = admin(data, [
    'token',
    'add',
    AIKO,
    '--name',
    'e2e',
    '--scope',
    'read',
    '--scope',
    'upload',
    '--scope',
    'write',
  ]);
  const token = /zry_[\w-]+/.exec(said)?.[0];
  if (!token) throw new Error(`no token in ${said}`);
  const port = await freePort();
  const child = await serve(data, port);
  const made = { url: `http://127.0.0.1:${port}`, port, data, token };
  writeFileSync(NOTE, JSON.stringify(made));
  return { served: made, child };
}

export function clean(data: string): void {
  rmSync(data, { recursive: true, force: true });
  rmSync(NOTE, { force: true });
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** Send a file as a program would; gives the measurement's uid. */
export async function send(
  to: Served,
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
  where: { project: string; instrument?: string },
): Promise<string> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const meta = { filename: name, sha256, ...where };
  const response = await fetch(`${to.url}/api/v1/uploads`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${to.token}`,
      'Tus-Resumable': '1.0.0',
      'Upload-Length': String(bytes.length),
      'Content-Type': 'application/offset+octet-stream',
      'Upload-Metadata': Object.entries(meta)
        .map(([key, value]) => `${key} ${base64(value)}`)
        .join(','),
    },
    body: bytes,
  });
  if (!response.ok) throw new Error(`${name}: ${response.status} ${await response.text()}`);
  const receipt = JSON.parse(response.headers.get('zairyo-receipt') ?? '{}') as { measurement: string };
  return receipt.measurement;
}

export const sendExample = (to: Served, path: string, where: { project: string; instrument?: string }) =>
  send(to, new Uint8Array(readFileSync(join(EXAMPLES, path))), basename(path), where);

export async function get<T>(to: Served, path: string): Promise<T> {
  const response = await fetch(`${to.url}/api/v1${path}`, {
    headers: { Authorization: `Bearer ${to.token}` },
  });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return (await response.json()) as T;
}

/** Wait until nothing is left to translate. */
export async function settled(to: Served): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const page = await get<{ total: number }>(to, '/measurements?state=waiting&state=receiving&limit=1');
    if (page.total === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('translation did not end within two minutes');
}
