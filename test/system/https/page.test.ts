/** What a person does with the page, in each browser. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { PASSWORD, type ServedProcess, serveProcess } from '../support/served';
import { browsers, launch, PHONE, type Visit, visit } from './browsers';
import { empty } from './emptied';

describe.each(browsers)('%s', (name) => {
  let server: ServedProcess;
  let browser: Browser;
  let folder: string;
  let at: Visit;
  beforeAll(async () => {
    // A sign-in that one process has made is good on the other.
    server = await serveProcess('--https-port', '0', '--workers', '2');
    browser = await launch(name);
    folder = mkdtempSync(join(tmpdir(), 'ftps-page-'));
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    const { complaints } = at;
    await at.page.context().close();
    empty(server.files);
    expect(complaints).toEqual([]);
  });

  const remote = (path: string) => join(server.files, path);
  const there = (path: string, content: string | Buffer = 'x') => writeFileSync(remote(path), content);
  async function inside(options: BrowserContextOptions = {}): Promise<void> {
    at = await visit(browser, server.https!, options);
    await at.signIn();
  }

  it('signs in, says what is wrong, and signs out', async () => {
    at = await visit(browser, server.https!);
    await at.enter('wrong');
    await at.says('Name, password or code is wrong.');
    await at.signIn();
    await at.page.getByText('This folder is empty.').waitFor();
    await at.page.getByRole('button', { name: 'Sign out' }).click();
    await at.page.getByLabel('Password').waitFor();
    await at.page.reload();
    await at.page.getByLabel('Password').waitFor();
  });

  it('a sign-in that has ended is said so, and one goes on in the same folder', async () => {
    mkdirSync(remote('in'));
    there('in/report');
    await inside();
    await at.open('in');
    await at.row('report').waitFor();
    await at.page.context().clearCookies();
    await at.page.getByRole('button', { name: 'Size' }).click();
    await at.says('You were signed out. Sign in again.');
    await at.page.getByLabel('Password').fill(PASSWORD);
    await at.page.keyboard.press('Enter');
    await at.row('report').waitFor();
    // By a link, and by the browser's own way back.
    await at.page.getByRole('link', { name: 'Home' }).click();
    await at.row('in').waitFor();
    await at.page.goBack();
    await at.row('report').waitFor();
  });

  it('sorts, searches, shows times of the viewer’s zone', async () => {
    there('beta.txt', 'xxx');
    there('Alpha.txt', 'x');
    there('gamma.bin', 'xx');
    utimesSync(remote('beta.txt'), new Date('2026-01-15T23:30:00Z'), new Date('2026-01-15T23:30:00Z'));
    await inside({ timezoneId: 'Asia/Tokyo', locale: 'en-GB' });
    expect(await at.row('beta.txt').locator('.time').textContent()).toMatch(/16 Jan 2026.* 08:30/);
    const sorted = async (by: string) => {
      await at.page.getByRole('columnheader').getByRole('button', { name: by }).click();
      await at.listed();
      return at.names();
    };
    expect(await sorted('Size')).toEqual(['/Alpha.txt', '/gamma.bin', '/beta.txt']);
    expect(await sorted('Size')).toEqual(['/beta.txt', '/gamma.bin', '/Alpha.txt']);
    expect((await sorted('Changed'))[0]).toBe('/beta.txt');
    expect(await sorted('Name')).toEqual(['/Alpha.txt', '/beta.txt', '/gamma.bin']);
    await at.page.getByRole('searchbox').fill('ALPHA');
    await at.row('beta.txt').waitFor({ state: 'detached' });
    expect(await at.names()).toEqual(['/Alpha.txt']);
    await at.page.getByRole('searchbox').fill('nobody');
    await at.page.getByText('No name has that in it.').waitFor();
  });

  it('downloads one, several as an archive, and a part of one', async () => {
    const bytes = randomBytes(300_000);
    there('report ü.bin', bytes);
    mkdirSync(remote('tree'));
    for (let index = 0; index < 20; index += 1) there(`tree/file-${index}`, String(index));
    await inside();
    const one = await at.download(() => at.page.getByRole('link', { name: 'report ü.bin' }).click());
    expect(one.suggestedFilename()).toBe('report ü.bin');
    expect(readFileSync(await one.path()).equals(bytes)).toBe(true);
    await at.select('report ü.bin');
    await at.select('tree');
    const archive = await at.download(() => at.press('Download'));
    expect(archive.suggestedFilename()).toBe('files.zip');
    expect(readFileSync(await archive.path()).includes('tree/file-19')).toBe(true);
    const part = await at.page.evaluate(
      async (path) => {
        const answer = await fetch(path, { headers: { range: 'bytes=1000-1099' } });
        return { status: answer.status, bytes: [...new Uint8Array(await answer.arrayBuffer())] };
      },
      `/api/v1/files/${encodeURIComponent('report ü.bin')}`,
    );
    expect(part).toEqual({ status: 206, bytes: [...bytes.subarray(1000, 1100)] });
    rmSync(remote('report ü.bin'));
    await at.page.getByRole('link', { name: 'report ü.bin' }).click();
    await at.says(/not|no such/i);
  });

  it('makes, renames, moves and deletes, and asks before it deletes', async () => {
    there('old');
    await inside();
    await at.press('New folder');
    await at.page.locator('#ask-input').fill('box');
    await at.page.keyboard.press('Enter');
    await at.row('box').waitFor();
    await at.press('New folder');
    await at.answer('a/b', 'Create');
    await at.says('A name has no slash in it');
    await at.select('old');
    await at.press('Rename');
    await at.answer('new', 'Rename');
    await at.row('new').waitFor();
    await at.select('new');
    await at.press('Move');
    await at.answer('box/', 'Move');
    await at.row('new').waitFor({ state: 'detached' });
    expect(existsSync(remote('box/new'))).toBe(true);
    await at.open('box');
    await at.row('new').waitFor();
    await at.page.getByRole('link', { name: 'Home' }).click();
    await at.select('box');
    await at.page.keyboard.press('Delete');
    await at.page.getByRole('dialog').getByText('Delete box?').waitFor();
    await at.page.keyboard.press('Escape');
    expect(existsSync(remote('box/new'))).toBe(true);
    await at.press('Delete');
    await at.answer(undefined, 'Delete');
    await at.row('box').waitFor({ state: 'detached' });
    expect(existsSync(remote('box'))).toBe(false);
  });

  it('a name that is taken stays what it is', async () => {
    there('one', '1');
    there('two', '2');
    await inside();
    await at.select('one');
    await at.press('Rename');
    await at.answer('two', 'Rename');
    await at.says(/exists|taken|already/i);
    expect(readFileSync(remote('two'), 'utf8')).toBe('2');
  });

  it('by the keyboard alone: sign in, walk, select, rename, open, go up, delete', async () => {
    mkdirSync(remote('in'));
    there('in/a');
    there('in/b');
    there('in/c');
    at = await visit(browser, server.https!);
    const { keyboard } = at.page;
    // The page asks for the name once it knows that nobody is signed in. A selector, since its policy lets no function be made of a text.
    await at.page.locator('#user:focus').waitFor();
    await keyboard.type('partner');
    await keyboard.press('Tab');
    await keyboard.type(PASSWORD);
    await keyboard.press('Enter');
    await at.row('in').waitFor();
    await keyboard.press('ArrowDown');
    await keyboard.press('Enter');
    await at.row('c').waitFor();
    await at.page.locator('#entries tr[data-path="/in/a"]:focus-within').waitFor();
    await keyboard.press('ArrowDown');
    await keyboard.press('Shift+Tab');
    await keyboard.press('Space');
    await keyboard.press('F2');
    await keyboard.type('renamed');
    await keyboard.press('Enter');
    await at.row('renamed').waitFor();
    await keyboard.press('Control+a');
    await at.page.getByText('3 of 3 entries selected').waitFor();
    await keyboard.press('Escape');
    await at.page.getByText('3 entries', { exact: true }).first().waitFor({ state: 'attached' });
    await keyboard.press('/');
    await keyboard.type('rename');
    await at.row('a').waitFor({ state: 'detached' });
    await keyboard.press('Tab');
    await keyboard.press('Backspace');
    await at.row('in').waitFor();
    await keyboard.press('Control+a');
    await keyboard.press('Delete');
    await at.page.getByRole('dialog').waitFor();
    await keyboard.press('Tab');
    await keyboard.press('Enter');
    await at.page.getByText('This folder is empty.').waitFor();
    expect(existsSync(remote('in'))).toBe(false);
  });

  // Firefox takes no drags from WebDriver BiDi.
  (name === 'chromium' ? it : it.skip)('with shift several are selected, and what is dragged onto a folder is moved there', async () => {
    mkdirSync(remote('box'));
    for (const one of ['a', 'b', 'c', 'd']) there(one);
    await inside();
    await at.page.getByLabel('Select a', { exact: true }).click();
    await at.page.getByLabel('Select c', { exact: true }).click({ modifiers: ['Shift'] });
    await at.page.getByText('3 of 5 entries selected').waitFor();
    await at.row('b').locator('.time').dragTo(at.row('box').locator('.time'));
    await at.row('a').waitFor({ state: 'detached' });
    expect(await at.names()).toEqual(['/box', '/d']);
    expect(['a', 'b', 'c'].every((one) => existsSync(remote(`box/${one}`)))).toBe(true);
    await at.open('box');
    await at.row('a').waitFor();
    await at
      .row('a')
      .locator('.time')
      .dragTo(at.page.getByRole('link', { name: 'Home' }));
    await at.row('a').waitFor({ state: 'detached' });
    expect(existsSync(remote('a'))).toBe(true);
  });

  it('ten thousand entries, on a phone', async () => {
    mkdirSync(remote('many'));
    for (let index = 0; index < 10_000; index += 1) there(`many/${String(index).padStart(5, '0')}`, '');
    await inside(PHONE);
    await at.open('many');
    const begin = Date.now();
    await at.row('00000').waitFor();
    await at.page.getByText('10,000 entries').first().waitFor({ state: 'attached' });
    await at.page.getByRole('button', { name: 'Show more' }).click();
    await at.row('00900').waitFor({ state: 'attached' });
    await at.page.getByRole('combobox').selectOption('Name, Z to A');
    await at.row('09999').waitFor();
    await at.page.getByRole('searchbox').fill('777');
    await at.row('07770').waitFor({ state: 'attached' });
    expect(Date.now() - begin).toBeLessThan(30_000);
    expect(await at.page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  });

  it('an account’s cookie is the browser’s alone, and of no use once it has signed out', async () => {
    await inside();
    const [cookie] = await at.page.context().cookies();
    expect(cookie).toMatchObject({ name: '__Host-ftps', httpOnly: true, secure: true, sameSite: 'Strict' });
    expect(await at.page.evaluate('document.cookie')).toBe('');
    await at.page.getByRole('button', { name: 'Sign out' }).click();
    await at.page.getByLabel('Password').waitFor();
    await at.page.context().addCookies([cookie!]);
    expect(await at.page.evaluate("fetch('/api/v1/sign-in').then(({ status }) => status)")).toBe(401);
  });
});
