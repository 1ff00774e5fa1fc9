/**
 * Every state of the page, on a desk, on a phone and in the dark: what bars somebody from it is looked for by axe-core, and it is drawn where PICTURES names
 * a folder. Uploads are scanned, or held back by a storage whose scanner works on its own.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { CertificateFolder } from '../../server/support/certificates';
import { ClamdPeer } from '../../server/support/clamd';
import { type S3Server, startS3 } from '../storage/servers';
import { cheapHash } from '../support/restartable';
import { PASSWORD, type ServedProcess, serveConfigured, USER } from '../support/served';
import { barriersIn } from './barriers';
import { launch, PHONE, type Visit, visit } from './browsers';
import { empty } from './emptied';

/** How it looks, by name. */
const looks: Readonly<Record<string, { readonly context: BrowserContextOptions; readonly isDark: boolean }>> = {
  desk: { context: { colorScheme: 'light' }, isDark: false },
  phone: { context: { ...PHONE, colorScheme: 'light' }, isDark: false },
  dark: { context: { colorScheme: 'dark' }, isDark: true },
  'phone-dark': { context: { ...PHONE, colorScheme: 'dark' }, isDark: true },
};

let place: CertificateFolder;
let clamd: ClamdPeer;
let s3: S3Server;
let scanned: ServedProcess;
let held: ServedProcess;
/** Settings of a server that locks out whoever guesses, soon and for long; whose address it has locked out does not come to its page any more. */
let strict: object;

beforeAll(async () => {
  place = await CertificateFolder.create();
  clamd = await ClamdPeer.listen();
  s3 = await startS3('moto');
  const certificate = await place.put('server', await place.authority.issue());
  const account = { user: USER, passwordHash: cheapHash(PASSWORD) };
  const config = {
    listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
    https: { port: 0 },
    passive: { ports: 'any:4' },
    tls: { certificates: [certificate] },
    identity: [{ kind: 'file', file: await place.write('accounts.json', JSON.stringify({ accounts: [account] })) }],
  };
  strict = { ...config, limits: { lockout: { failuresPerAddress: 4, firstSeconds: 600 } } };
  scanned = await serveConfigured({ ...config, antivirus: { kind: 'clamd', socket: clamd.path } });
  const [bucket, quarantine] = [await s3.newBucket(), await s3.newBucket()];
  const storage = { kind: 's3', bucket, endpoint: s3.endpoint, pathStyle: true, region: 'us-east-1', release: 'guardduty', quarantine: { bucket: quarantine } };
  held = await serveConfigured({ ...config, storage });
});
afterAll(async () => {
  await scanned?.stop();
  await held?.stop();
  await s3?.stop();
  await clamd?.close();
  await place?.remove();
});

// Firefox has what people do with the page (`page.test.ts`, `uploads.test.ts`, `sign-in.test.ts`); held requests end it.
describe.each(['chromium'] as const)('%s', (name) => {
  describe.each(Object.entries(looks))('%s', (look, { context, isDark }) => {
    let browser: Browser;
    let at: Visit;
    let findings: string[];
    beforeAll(async () => {
      browser = await launch(name, { isDark });
    });
    afterAll(() => browser?.close());
    beforeEach(() => {
      findings = [];
    });
    afterEach(async () => {
      await at.page.context().close();
      expect(findings).toEqual([]);
      expect(at.complaints).toEqual([]);
    });

    /** Looks at the page as it stands. */
    async function look_(state: string): Promise<void> {
      await at.picture(`${name}-${look}-${state}`);
      findings.push(...(await barriersIn(at.page)).map((one) => `${state}: ${one}`));
    }

    it('coming in', async () => {
      at = await visit(browser, scanned.https!, context);
      await at.page.getByLabel('Password').waitFor();
      await look_('sign-in');
      await at.enter('wrong');
      await at.says('Name, password or code is wrong.');
      await look_('wrong-password');
    });

    it('somebody who guessed too often', async () => {
      const server = await serveConfigured(strict);
      try {
        at = await visit(browser, server.https!, context);
        const trouble = at.page.locator('#trouble');
        for (let tries = 0; !/does not answer/.test((await trouble.textContent()) ?? ''); tries += 1) {
          // One name makes up a part of them alone.
          await at.page.getByLabel('Name').fill(`somebody-${tries}`);
          await at.page.getByLabel('Password').fill('wrong');
          await at.page.getByRole('button', { name: 'Sign in' }).click();
          await at.page.locator('#sign-in button.main:enabled').waitFor();
          expect(tries).toBeLessThan(20);
        }
        await look_('locked-out');
      } finally {
        await server.stop();
      }
    });

    it('the list, what is selected, questions, and a server that is gone', async () => {
      const remote = (path: string) => join(scanned.files, path);
      empty(scanned.files);
      at = await visit(browser, scanned.https!, context);
      await at.signIn();
      await look_('empty');
      for (const one of ['Archive', 'Invoices', 'Outgoing']) mkdirSync(remote(one));
      for (const [one, size] of Object.entries({
        'Statement 2026-10.pdf': 182_000,
        'orders-2026-11-28.csv': 4_200,
        'photos from the site visit, all of them in one.zip': 48_000_000,
        ['A_very_long_name_without_a_place_to_break_it_'.repeat(3)]: 12,
        'übergabe – протокол.docx': 88_000,
      })) {
        writeFileSync(remote(one), '');
        execFileSync('truncate', ['-s', String(size), remote(one)]);
      }
      await at.page.getByRole('button', { name: 'Sign out' }).waitFor();
      await at.page.reload();
      await at.row('Invoices').waitFor();
      await look_('list');
      await at.select('Invoices');
      await at.select('orders-2026-11-28.csv');
      await look_('selected');
      await at.press('Delete');
      await look_('delete');
      await at.page.keyboard.press('Escape');
      await at.press('Move');
      await look_('move');
      await at.page.keyboard.press('Escape');
      await at.page.getByRole('searchbox').fill('nothing');
      await at.page.getByText('No name has that in it.').waitFor();
      await look_('no-match');
      await at.page.getByRole('searchbox').fill('');
      await at.row('Invoices').waitFor();
      await at.page.route('**/api/**', (route) => route.abort());
      await at.open('Archive');
      await at.says('The server can not be reached.');
      await look_('offline');
      await at.page.unroute('**/api/**');
    });

    it('uploads: there, refused by the scanner, of a name that is taken, paused', async () => {
      at = await visit(browser, scanned.https!, context);
      writeFileSync(join(scanned.files, 'taken.txt'), 'x');
      await at.signIn();
      const file = (path: string, content: string | Buffer) => ({ name: path, mimeType: 'application/octet-stream', buffer: Buffer.from(content as string) });
      await at.page.locator('#choose').setInputFiles([file('report.txt', 'fine'), file('invoice.exe', 'EVIL'), file('taken.txt', 'y')]);
      await at.upload('/invoice.exe').getByText('The file is infected and was refused.').waitFor();
      await at.upload('/taken.txt').getByText('There is a file of that name').waitFor();
      await at.upload('/report.txt').getByText('Done').waitFor();
      await at.page.route('**/api/v1/uploads/**', () => {}); // never answered
      await at.page.locator('#choose').setInputFiles([file('large.bin', Buffer.alloc(9 * 1024 * 1024))]);
      await at.page.getByRole('button', { name: 'Pause: /large.bin' }).click();
      await at.page.getByText('Paused').waitFor();
      await look_('uploads');
      await at.page.unroute('**/api/v1/uploads/**');
      await at.page.getByRole('button', { name: 'Cancel: /large.bin' }).click();
      rmSync(join(scanned.files, 'report.txt'));
    });

    it('uploads that are held back', async () => {
      at = await visit(browser, held.https!, context);
      await at.signIn();
      const buffer = Buffer.alloc(9 * 1024 * 1024, look);
      await at.page.locator('#choose').setInputFiles([
        { name: `small-${look}`, mimeType: 'text/plain', buffer: Buffer.from('x') },
        { name: `large-${look}`, mimeType: 'text/plain', buffer },
      ]);
      await at.page.locator('#uploads li.held').nth(1).waitFor();
      expect(await at.upload(`/large-${look}`).locator('.state').textContent()).toMatch(/held back until a scanner/);
      expect(await at.names()).toEqual([]);
      await look_('held');
    });
  });
});
