/** Links as a person opens them, in headless Chromium, of a server with several processes. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { PASSWORD, type ServedProcess, serveProcess, USER } from '../support/served';

let server: ServedProcess;
let browser: Browser;
let folder: string;
let complaints: string[];
beforeAll(async () => {
  server = await serveProcess('--https-port', '0', '--workers', '2');
  // Root, as in a container, can have no sandbox; the page is our own.
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  folder = mkdtempSync(join(tmpdir(), 'ftps-links-'));
  complaints = [];
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function open(url: string): Promise<Page> {
  // The certificate is of an authority of the test's own.
  const context = await browser.newContext({ ignoreHTTPSErrors: true, acceptDownloads: true });
  const page = await context.newPage();
  page.on('console', (message) => message.type() === 'error' && !/status of 4\d\d/.test(message.text()) && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);
  return page;
}

async function signedIn(): Promise<Page> {
  const page = await open(`https://localhost:${server.https}/`);
  await page.getByLabel('Name').fill(USER);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  return page;
}

const dialog = (page: Page) => page.getByRole('dialog', { name: 'Links' });

async function make(page: Page, password?: string): Promise<string> {
  await page.getByRole('button', { name: 'Links', exact: true }).click();
  if (password) await dialog(page).getByLabel('Password (may be left empty)').fill(password);
  await dialog(page).getByRole('button', { name: 'Make a link' }).click();
  const url = await dialog(page).getByLabel('Address of the link').inputValue();
  await dialog(page).getByRole('button', { name: 'Close' }).click();
  return url;
}

it('a file goes to who has the link and its password, once, and the link can be taken back', async () => {
  writeFileSync(join(server.files, 'report.csv'), 'a,b\n1,2\n');
  const page = await signedIn();
  await page.getByLabel('Select report.csv', { exact: true }).check();
  const url = await make(page, 'tell them by phone');
  const other = await open(url);
  await other.getByLabel('Password').fill('tell them by phone');
  await other.getByRole('button', { name: 'Open' }).click();
  await other.getByText('report.csv').waitFor();
  const [download] = await Promise.all([other.waitForEvent('download'), other.getByText('Download', { exact: true }).click()]);
  await download.saveAs(join(folder, 'got.csv'));
  expect(readFileSync(join(folder, 'got.csv'), 'utf8')).toBe('a,b\n1,2\n');
  await other.reload();
  await other.getByText('This link was used as often as it may be.').waitFor();
  await page.getByRole('button', { name: 'Links', exact: true }).click();
  await dialog(page).getByText('Downloads: 1 of 1').waitFor();
  await dialog(page).getByRole('button', { name: 'Revoke: /report.csv' }).click();
  await dialog(page).getByText('Downloads: 1 of 1').waitFor({ state: 'detached' });
  await other.reload();
  await other.getByText('There is no such link.').waitFor();
  expect(complaints).toEqual([]);
});

it('who has the link of a folder drops files into it, small ones and one in parts', async () => {
  mkdirSync(join(server.files, 'inbox'));
  writeFileSync(join(server.files, 'inbox/hidden.txt'), 'nobody sees this');
  const page = await signedIn();
  await page.getByRole('link', { name: 'inbox folder' }).click();
  await page.getByText('hidden.txt').waitFor();
  const other = await open(await make(page));
  const large = randomBytes(9 * 1024 * 1024);
  writeFileSync(join(folder, 'large.bin'), large);
  writeFileSync(join(folder, 'hidden.txt'), 'another one');
  const [chooser] = await Promise.all([other.waitForEvent('filechooser'), other.getByRole('button', { name: 'Upload files' }).click()]);
  await chooser.setFiles([join(folder, 'hidden.txt'), join(folder, 'large.bin')]);
  await other.locator('#uploads li.good').nth(1).waitFor();
  expect(readFileSync(join(server.files, 'inbox/large.bin')).equals(large)).toBe(true);
  expect(readFileSync(join(server.files, 'inbox/hidden (2).txt'), 'utf8')).toBe('another one');
  expect(await other.locator('body').textContent()).not.toContain('nobody sees this');
  await other.getByText('8 times').waitFor();
  expect(complaints).toEqual([]);
});

it('an account that can make no link is offered none', async () => {
  const links = (page: Page) => page.getByRole('button', { name: 'Links', exact: true });
  expect(await links(await signedIn()).isVisible()).toBe(true);
  const file = join(server.folder, `accounts-${USER}.json`);
  const content = JSON.parse(readFileSync(file, 'utf8'));
  content.accounts[0].permissions = ['list', 'rename'];
  writeFileSync(file, JSON.stringify(content));
  const isKnown = () => server.audit().some(({ message }) => message.includes('reloaded'));
  while (!isKnown()) await new Promise((resolve) => setTimeout(resolve, 50));
  const page = await signedIn();
  expect(await page.getByRole('button', { name: 'New folder' }).isVisible()).toBe(true);
  expect(await links(page).isVisible()).toBe(false);
});
