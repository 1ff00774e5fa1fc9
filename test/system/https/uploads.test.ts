/**
 * Uploads by the page, in each browser: what is dropped, what is cut, what was begun before, what is refused and what is held back.
 * LARGE_UPLOAD_MIB: how large the one is whose connection is cut; 1024 takes a minute.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { type ServedProcess, serveProcess } from '../support/served';
import { browsers, launch, type Visit, visit } from './browsers';
import { cutProxy } from './cut-proxy';
import { drop } from './drops';
import { empty } from './emptied';

const MIB = 1024 * 1024;
const LARGE_MIB = Number(process.env['LARGE_UPLOAD_MIB'] ?? 64);
/** What lies in buffers of the browser, of the systems and of the proxy at once, at most. */
const ON_ITS_WAY_MIB = 16;

describe.each(browsers)('%s', (name) => {
  let server: ServedProcess;
  let browser: Browser;
  let folder: string;
  let at: Visit;
  beforeAll(async () => {
    server = await serveProcess('--https-port', '0', '--workers', '2');
    browser = await launch(name);
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ftps-page-'));
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });
  afterEach(async () => {
    const { complaints } = at;
    await at.page.context().close();
    rmSync(folder, { recursive: true, force: true });
    empty(server.files);
    expect(complaints).toEqual([]);
  });

  const local = (path: string) => join(folder, path);
  const remote = (path: string) => join(server.files, path);
  async function inside(port = server.https!): Promise<void> {
    at = await visit(browser, port);
    await at.signIn();
  }
  /** Random bytes, of which each MiB is another; answers their SHA-256. */
  function large(path: string, mebibytes: number): string {
    const [file, hash, piece] = [openSync(local(path), 'w'), createHash('sha256'), randomBytes(MIB)];
    for (let index = 0; index < mebibytes; index += 1) {
      piece.writeUInt32LE(index, 0);
      hash.update(piece);
      writeSync(file, piece);
    }
    closeSync(file);
    return hash.digest('hex');
  }
  function hashOf(path: string): string {
    const hash = createHash('sha256');
    const [file, piece] = [openSync(path, 'r'), Buffer.alloc(MIB)];
    const { size } = statSync(path);
    for (let done = 0; done < size; done += MIB) hash.update(piece.subarray(0, readSync(file, piece, 0, MIB, done)));
    closeSync(file);
    return hash.digest('hex');
  }
  const sent = async (path: string) => Number(await at.page.getByRole('progressbar', { name: path }).getAttribute('value'));
  const moved = async (path: string, least: number) => {
    while ((await sent(path)) < least) await at.page.waitForTimeout(20);
  };

  it('files that are dropped, with their bytes, and a folder that is dropped onto a folder', async () => {
    const bytes = randomBytes(300_000);
    writeFileSync(local('report.bin'), bytes);
    writeFileSync(local('note.txt'), 'hello');
    mkdirSync(local('tree/deep'), { recursive: true });
    mkdirSync(local('tree/empty'));
    writeFileSync(local('tree/deep/file'), 'x');
    mkdirSync(remote('box'));
    await inside();
    await drop(name, at.page, [local('report.bin'), local('note.txt')]);
    await at.row('report.bin').waitFor();
    expect(readFileSync(remote('report.bin')).equals(bytes)).toBe(true);
    await drop(name, at.page, [local('tree')], '#entries tr[data-folder="/box"]');
    await at.page.locator('#uploads li.good').nth(2).waitFor();
    expect(readFileSync(remote('box/tree/deep/file'), 'utf8')).toBe('x');
    while (!existsSync(remote('box/tree/empty'))) await at.page.waitForTimeout(20);
  });

  it('a folder of a thousand small files that is dropped', async () => {
    mkdirSync(local('many/deep'), { recursive: true });
    for (let index = 0; index < 1_000; index += 1) writeFileSync(local(`many/${index % 2 ? 'deep/' : ''}file-${index}`), `content ${index}`);
    await inside();
    const begin = Date.now();
    await drop(name, at.page, [local('many')]);
    await at.page.getByText('1000 of 1000 done').waitFor({ timeout: 240_000 });
    process.stdout.write(`a thousand files in ${name}: ${((Date.now() - begin) / 1000).toFixed(1)} s\n`);
    expect(readdirSync(remote('many'))).toHaveLength(501);
    for (let index = 0; index < 1_000; index += 1)
      expect(readFileSync(remote(`many/${index % 2 ? 'deep/' : ''}file-${index}`), 'utf8')).toBe(`content ${index}`);
    await at.page.getByRole('button', { name: 'Clear finished' }).click();
    await at.page.locator('#transfers').waitFor({ state: 'hidden' });
  });

  it(`${LARGE_MIB} MiB go up though the connection is cut three times`, async () => {
    const hash = large('large.bin', LARGE_MIB);
    const proxy = await cutProxy(
      server.https!,
      [0.2, 0.5, 0.8].map((part) => part * LARGE_MIB * MIB),
    );
    try {
      await inside(proxy.port);
      const begin = Date.now();
      await at.page.locator('#choose').setInputFiles(local('large.bin'));
      await at.page.locator('#uploads li.good').waitFor({ timeout: 240_000 });
      const [seconds, sentMib] = [(Date.now() - begin) / 1000, proxy.bytes / MIB];
      process.stdout.write(`${LARGE_MIB} MiB cut three times in ${name}: ${seconds.toFixed(1)} s, ${sentMib.toFixed(0)} MiB were sent\n`);
      expect(proxy.cuts).toBe(3);
      expect(hashOf(remote('large.bin'))).toBe(hash);
      // What had come was not sent again, but for what was on its way.
      expect(sentMib).toBeLessThan(LARGE_MIB + 3 * ON_ITS_WAY_MIB);
      // One upload, whole, with the hash of all of it.
      expect(server.audit().flatMap((line) => ('file' in line && line.file?.path === '/large.bin' ? [line.file.hashes?.[0]?.value] : []))).toEqual([hash]);
    } finally {
      proxy.close();
    }
  });

  it('pauses and goes on, and after the page was loaded anew once the file is chosen again', async () => {
    const hash = large('large.bin', 160);
    const proxy = await cutProxy(server.https!);
    try {
      await inside(proxy.port);
      await at.page.locator('#choose').setInputFiles(local('large.bin'));
      await moved('/large.bin', 40 * MIB);
      await at.page.getByRole('button', { name: 'Pause: /large.bin' }).click();
      await at.page.getByText('Paused').waitFor();
      at.page.on('dialog', (dialog) => dialog.accept());
      await at.page.reload();
      await at.page.getByText('came before the page was closed').waitFor();
      expect(await sent('/large.bin')).toBeGreaterThan(30 * MIB);
      // Another file is not taken for it.
      writeFileSync(local('other.bin'), 'x');
      const choose = async (path: string) => {
        const again = at.page.getByRole('button', { name: 'Choose it again: /large.bin' });
        // Firefox does not say that it asks for a file.
        const chooser = name === 'chromium' ? at.page.waitForEvent('filechooser') : undefined;
        await again.click();
        if (chooser) await (await chooser).setFiles(local(path));
        else await at.page.locator('#choose').setInputFiles(local(path));
      };
      await choose('other.bin');
      await at.says('That is another file');
      await choose('large.bin');
      await at.page.locator('#uploads li.good').waitFor();
      expect(hashOf(remote('large.bin'))).toBe(hash);
      expect(proxy.bytes).toBeLessThan(230 * MIB);
      await at.page.reload();
      await at.row('large.bin').waitFor();
      expect(await at.page.locator('#uploads li').count()).toBe(0);
    } finally {
      proxy.close();
    }
  });

  it('a file that is there is replaced only after a yes, one or all', async () => {
    for (const one of ['a', 'b', 'c']) {
      writeFileSync(local(one), 'new');
      writeFileSync(remote(one), 'old');
    }
    await inside();
    await at.page.locator('#choose').setInputFiles(['a', 'b', 'c'].map(local));
    await at.page.locator('#uploads li.bad').nth(2).waitFor();
    expect(['a', 'b', 'c'].map((one) => readFileSync(remote(one), 'utf8'))).toEqual(['old', 'old', 'old']);
    await at.page.getByRole('button', { name: 'Replace: /b' }).click();
    await at.page.locator('#uploads li.good').waitFor();
    expect(['a', 'b', 'c'].map((one) => readFileSync(remote(one), 'utf8'))).toEqual(['old', 'new', 'old']);
    await at.page.getByRole('button', { name: 'Replace all' }).click();
    await at.page.locator('#uploads li.good').nth(2).waitFor();
    expect(['a', 'b', 'c'].map((one) => readFileSync(remote(one), 'utf8'))).toEqual(['new', 'new', 'new']);
  });

  it('waits where the sign-in ends meanwhile, and goes on behind the next one', async () => {
    const hash = large('large.bin', 120);
    await inside();
    await at.page.locator('#choose').setInputFiles(local('large.bin'));
    await moved('/large.bin', 20 * MIB);
    await at.page.context().clearCookies();
    await at.page.getByLabel('Password').waitFor();
    await at.signIn();
    await at.page.locator('#uploads li.good').waitFor();
    expect(hashOf(remote('large.bin'))).toBe(hash);
  });
});
