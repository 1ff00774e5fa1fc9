/** The page as a person uses it, in headless Chromium. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { keptAs } from '../support/pictures';
import { PASSWORD, type ServedProcess, serveProcess, USER } from '../support/served';

const CHROMIUM = '/usr/bin/chromium';
const PATIENCE_MS = 60_000;

let server: ServedProcess;
let browser: Browser;
let folder: string;
let page: Page;
/** Whatever the browser complains of: errors of the script, and what the content security policy refused. */
let complaints: string[];
beforeAll(async () => {
  server = await serveProcess('--https-port', '0');
  // Root, as in a container, can have no sandbox; the page is our own.
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  folder = mkdtempSync(join(tmpdir(), 'ftps-page-'));
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(() => page.context().close());

const local = (name: string) => join(folder, name);
const remote = (name: string) => join(server.files, name);

async function look(options: BrowserContextOptions = {}): Promise<void> {
  // The certificate is of an authority of the test's own.
  const context = await browser.newContext({ viewport: { width: 1100, height: 700 }, ignoreHTTPSErrors: true, acceptDownloads: true, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  page = await context.newPage();
  complaints = [];
  page.on(
    'console',
    (message) => message.type() === 'error' && !/status of 4\d\d|ERR_INTERNET_DISCONNECTED/.test(message.text()) && complaints.push(message.text()),
  );
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`https://localhost:${server.https}/`);
}

async function signIn(): Promise<void> {
  await page.getByLabel('Name').fill(USER);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}

const row = (name: string) => page.getByRole('row', { name });
const select = (name: string) => page.getByLabel(`Select ${name}`, { exact: true }).check();
const press = (name: string) => page.getByRole('toolbar').getByRole('button', { name, exact: true }).click();
const answer = async (text: string | undefined, yes: string) => {
  if (text !== undefined) await page.getByRole('dialog').getByRole('textbox').fill(text);
  await page.getByRole('dialog').getByRole('button', { name: yes }).click();
};

it('signs in, says what is wrong, and signs out', async () => {
  await look();
  await page.getByLabel('Name').fill(USER);
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').getByText('Name or password is wrong.').waitFor();
  await signIn();
  await page.getByText('This folder is empty.').waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Password').waitFor();
  await page.reload();
  await page.getByLabel('Password').waitFor();
  expect(complaints).toEqual([]);
});

it('uploads files and a folder, lists, sorts, searches, downloads one and several', async () => {
  const bytes = randomBytes(300_000);
  writeFileSync(local('report.bin'), bytes);
  writeFileSync(local('note.txt'), 'hello');
  mkdirSync(local('tree/deep'), { recursive: true });
  for (let index = 0; index < 20; index += 1) writeFileSync(local(`tree/deep/file-${index}`), String(index));
  await look();
  await signIn();
  await page.locator('#choose').setInputFiles([local('report.bin'), local('note.txt')]);
  await row('report.bin').waitFor();
  await page.locator('#choose-folder').setInputFiles(local('tree'));
  await page.locator('#uploads li.good').nth(21).waitFor();
  expect(readFileSync(remote('report.bin')).equals(bytes)).toBe(true);
  expect(readdirSync(remote('tree/deep'))).toHaveLength(20);
  await row('tree').waitFor();
  await page.getByRole('button', { name: 'Size' }).click();
  await page.getByRole('searchbox').fill('NOTE');
  await row('report.bin').waitFor({ state: 'detached' });
  await page.getByRole('searchbox').fill('');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'report.bin' }).click()]);
  expect(readFileSync((await download.path())!).equals(bytes)).toBe(true);
  await select('note.txt');
  await select('tree');
  const [archive] = await Promise.all([page.waitForEvent('download'), press('Download')]);
  expect(archive.suggestedFilename()).toMatch(/\.zip$/);
  expect(readFileSync((await archive.path())!).includes('tree/deep/file-19')).toBe(true);
  await page.screenshot({ path: keptAs('https-files.png') });
  expect(complaints).toEqual([]);
});

it('makes, renames, moves and deletes, and asks before it deletes', async () => {
  writeFileSync(remote('old'), 'x');
  await look();
  await signIn();
  await press('New folder');
  await answer('box', 'Create');
  await row('box').waitFor();
  await select('old');
  await press('Rename');
  await answer('new', 'Rename');
  await row('new').waitFor();
  await select('new');
  await press('Move');
  await answer('/box', 'Move');
  await row('new').waitFor({ state: 'detached' });
  expect(existsSync(remote('box/new'))).toBe(true);
  await page.getByRole('link', { name: 'box' }).click();
  await row('new').waitFor();
  await page.getByRole('link', { name: 'Home' }).click();
  await select('box');
  await page.keyboard.press('Delete');
  await page.getByRole('dialog').getByText('Delete box?').waitFor();
  await page.keyboard.press('Escape');
  expect(existsSync(remote('box/new'))).toBe(true);
  await press('Delete');
  await answer(undefined, 'Delete');
  await row('box').waitFor({ state: 'detached' });
  expect(existsSync(remote('box'))).toBe(false);
  expect(complaints).toEqual([]);
});

it('a large upload pauses, goes on, and outlives a lost connection; a file that is there is not replaced unasked', async () => {
  const bytes = randomBytes(80 * 1024 * 1024);
  writeFileSync(local('large.bin'), bytes);
  await look();
  await signIn();
  await page.locator('#choose').setInputFiles(local('large.bin'));
  const bar = page.getByRole('progressbar', { name: '/large.bin' });
  const moved = async (least: number) => {
    while (Number(await bar.getAttribute('value')) < least) await page.waitForTimeout(5);
  };
  await moved(1);
  await page.getByRole('button', { name: 'Pause: /large.bin' }).click();
  await page.getByText('Paused').waitFor();
  await page.getByRole('button', { name: 'Resume: /large.bin' }).click();
  await page.context().setOffline(true);
  await page.getByText('trying again').waitFor();
  await page.context().setOffline(false);
  await page.locator('#uploads li.good').waitFor();
  expect(readFileSync(remote('large.bin')).equals(bytes)).toBe(true);
  writeFileSync(local('note.txt'), 'other');
  writeFileSync(remote('note.txt'), 'hello');
  await page.locator('#choose').setInputFiles(local('note.txt'));
  await page.getByText('There is a file of that name').waitFor();
  expect(readFileSync(remote('note.txt'), 'utf8')).toBe('hello');
  await page.getByRole('button', { name: 'Replace: /note.txt' }).click();
  await page.locator('#uploads li.good').nth(1).waitFor();
  expect(readFileSync(remote('note.txt'), 'utf8')).toBe('other');
  expect(complaints).toEqual([]);
});

it('ten thousand entries, and a name that is markup, on a phone at night', async () => {
  mkdirSync(remote('many'));
  for (let index = 0; index < 10_000; index += 1) writeFileSync(remote(`many/${String(index).padStart(5, '0')}`), '');
  writeFileSync(remote('many/0 <img src=x onerror=alert(1)>'), 'x');
  await look({ viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true, isMobile: true });
  await signIn();
  await page.getByRole('link', { name: 'many' }).click();
  await row('<img src=x onerror=alert(1)>').waitFor();
  await page.getByRole('status').getByText('10001 entries').waitFor({ state: 'attached' });
  await page.getByRole('button', { name: 'Show more' }).click();
  await row('00900').waitFor({ state: 'attached' });
  await page.screenshot({ path: keptAs('https-phone-dark.png') });
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  expect(complaints).toEqual([]);
});
