/** The console as a person sees it, in headless Chromium: a picture of each state. */
import { once } from 'node:events';
import { truncateSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { Client } from 'basic-ftp';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { CertificateFolder } from '../../server/support/certificates';
import { keptAs } from '../support/pictures';
import { cheapHash } from '../support/restartable';
import { PASSWORD, type ServedProcess, serveConfigured, USER } from '../support/served';

const CHROMIUM = '/usr/bin/chromium';
const PATIENCE_MS = 60_000;
const TRANSFERS = 200;
const SESSIONS = 1_000;
/** Nobody is cut off for being many or slow; only the end does not wait. */
const LIMITS = {
  sessionsPerAddress: 2_000,
  strangersPerAddress: 2_000,
  connectionsPerMinutePerAddress: 100_000,
  stallSeconds: 600,
  loginSeconds: 600,
  drainSeconds: 5,
};

// What functions that run in the browser find there.
declare const document: { readonly body: unknown; querySelectorAll(selector: string): ArrayLike<{ readonly position: number }> };
declare const getComputedStyle: (element: unknown) => { readonly backgroundColor: string; readonly color: string };

let place: CertificateFolder;
let accounts: string;
let browser: Browser;
beforeAll(async () => {
  place = await CertificateFolder.create();
  accounts = await place.write('accounts.json', JSON.stringify({ accounts: [{ user: USER, passwordHash: cheapHash(PASSWORD) }] }));
  // Root, as in a container, can have no sandbox; the page is our own.
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
});
afterAll(async () => {
  await browser.close();
  await place.remove();
});

let server: ServedProcess;
let page: Page;
/** Whatever the browser complains of: errors of the script, and what the content security policy refused. */
let complaints: string[];
afterEach(async () => {
  await page.context().close();
  await server.stop();
});

async function serve(config: object = {}, days = 90): Promise<void> {
  server = await serveConfigured({
    listeners: [
      { mode: 'explicit', host: '127.0.0.1', port: 0 },
      { mode: 'implicit', host: '127.0.0.1', port: 0 },
    ],
    passive: { ports: 'any:16' },
    tls: { certificates: [await place.put('server', await place.authority.issue({ until: days }))] },
    identity: [{ kind: 'file', file: accounts }],
    limits: LIMITS,
    admin: { port: 0 },
    ...config,
  });
}

async function look(options: BrowserContextOptions = {}, state = 'serving'): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 860 }, colorScheme: 'light', ...options });
  page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  complaints = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(`http://127.0.0.1:${server.admin}/`);
  await says('#state', state);
}

/** Fulfilled once the element's text is or contains this. */
async function says(selector: string, text: string | RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).first().waitFor();
}

/** Fulfilled once there are so many of these. */
const are = (selector: string, count: number) =>
  page.waitForFunction(([what, wanted]) => document.querySelectorAll(what).length === wanted, [selector, count] as const);

async function picture(name: string): Promise<void> {
  const path = keptAs(`console-${name}.png`);
  const image = await page.screenshot({ animations: 'disabled', ...(path ? { path } : {}) });
  expect(image.length).toBeGreaterThan(10_000);
}

async function client(): Promise<Client> {
  const one = new Client(PATIENCE_MS);
  const secureOptions = { ca: place.authority.pem, servername: 'localhost' };
  await one.access({ host: '127.0.0.1', port: server.explicit, user: USER, password: PASSWORD, secure: true, secureOptions });
  return one;
}

/** Larger than what the kernel takes for a client that reads nothing. */
function sparseFile(name: string, size: number): void {
  writeFileSync(join(server.files, name), '');
  truncateSync(join(server.files, name), size);
}

/** A download that has begun and goes on slowly, for longer than the test. */
async function slowDownload(one: Client, name: string): Promise<void> {
  let begun!: () => void;
  const first = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const slow = new Writable({
    write: (_piece, _encoding, done) => {
      begun();
      setTimeout(done, 100).unref();
    },
  });
  one.downloadTo(slow, name).catch(() => {});
  await first;
}

it('shows a server that nobody uses, by day and by night', async () => {
  await serve();
  await look();
  await says('#nobody', 'Nobody is connected.');
  await says('#figure-ports', 'of 16 open');
  await says('#figure-certificate', '89 days');
  await says('#events', 'server started');
  await picture('idle');
  await page.emulateMedia({ colorScheme: 'dark' });
  const [ground, text] = await page.evaluate(() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]);
  expect(brightness(ground!)).toBeLessThan(60);
  expect(brightness(text!)).toBeGreaterThan(200);
  await picture('idle-dark');
  expect(complaints).toEqual([]);
});

const brightness = (colour: string) => Math.max(...colour.match(/\d+/g)!.map(Number));

it('an upload is watched to its end, and its session is closed only after a yes', async () => {
  await serve();
  await look();
  const one = await client();
  await says('#sessions tr', USER);
  const source = new PassThrough();
  const upload = one.uploadFrom(source, 'report.bin');
  source.write(Buffer.alloc(3 * 1024 * 1024));
  await says('#sessions tr', 'STOR /report.bin');
  await says('#sessions tr', '3.0 MiB');
  source.write(Buffer.alloc(2 * 1024 * 1024));
  await says('#sessions tr', '5.0 MiB');
  await picture('upload');
  source.end();
  await upload;
  await says('#events', 'upload complete');
  await are('#sessions progress', 0);

  // By the keyboard alone.
  const kick = page.getByRole('button', { name: `Close the session of ${USER}` });
  await kick.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: `Close the session of ${USER}?` }).waitFor();
  await picture('confirm');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await one.send('NOOP');
  await kick.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Close session' }).click();
  await says('#nobody', 'Nobody is connected.');
  await expect(one.send('NOOP')).rejects.toThrow();
  expect(complaints).toEqual([]);
});

it(`shows ${TRANSFERS} transfers, and ${SESSIONS} sessions that can be searched`, async () => {
  await serve();
  for (let index = 0; index < TRANSFERS; index += 1) sparseFile(`invoice-${index}.csv`, (32 + ((index * 7) % 11) * 8) * 1024 * 1024);
  await look();
  const clients: Client[] = [];
  const names = Array.from({ length: TRANSFERS }, (_, index) => `invoice-${index}.csv`);
  const begin = async () => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      const one = await client();
      clients.push(one);
      await slowDownload(one, name);
    }
  };
  await Promise.all(Array.from({ length: 8 }, begin));
  await are('#sessions progress', TRANSFERS);
  // Each is somewhere between its begin and its end.
  await are('#sessions progress[value]', TRANSFERS);
  expect(await page.evaluate(() => Array.from(document.querySelectorAll('#sessions progress')).every(({ position }) => position > 0 && position < 1))).toBe(
    true,
  );
  // Once what the kernels took at once is behind.
  await says('#figure-transfers', /200\d{1,2}\.\d [KM]iB\/s/);
  await says('#sessions tr:first-child', /[KM]iB\/s/);
  await picture('200-transfers');

  const visitors = Array.from({ length: SESSIONS - TRANSFERS }, () => connect(server.explicit, '127.0.0.1'));
  await Promise.all(visitors.map((visitor) => once(visitor, 'data')));
  await says('#figure-sessions', String(SESSIONS));
  await are('#sessions tr', SESSIONS);
  await page.keyboard.press('/');
  await page.keyboard.type('invoice-17.csv');
  await are('#sessions tr', 1);
  await says('#sessions tr', 'RETR /invoice-17.csv');
  await picture('1000-sessions-filtered');
  expect(complaints).toEqual([]);
  for (const one of clients) one.close();
  for (const visitor of visitors) visitor.destroy();
});

it('points at a certificate that is about to expire', async () => {
  await serve({}, 3);
  await look();
  await says('#figure-certificate dd.warn', '2 days');
  await says('#figure-certificate', 'its renewal is overdue');
  const one = await client();
  await says('#sessions tr', USER);
  await picture('certificate');
  one.close();
  expect(complaints).toEqual([]);
});

it('points at a scanner that is down, and says in full what became of an upload', async () => {
  // Where nobody listens.
  await serve({ antivirus: { kind: 'clamd', socket: '/run/ftps-scanner/clamd.sock' } });
  await look({}, 'failed'); // no upload can be taken
  const one = await client();
  const source = new PassThrough();
  source.end('nobody looks at this');
  await expect(one.uploadFrom(source, 'unseen.txt')).rejects.toThrow(/scan/i);
  await says('#figure-parts dd.bad', 'scanner down');
  await page.getByLabel('trouble only').check();
  await says('#events', 'unseen.txt');
  await picture('scanner-down');
  one.close();
  expect(complaints).toEqual([]);
});

it('drains after a yes, and says so when the server is gone', async () => {
  await serve({ limits: { ...LIMITS, drainSeconds: 60 } });
  await look();
  const one = await client();
  const source = new PassThrough();
  const upload = one.uploadFrom(source, 'last.bin');
  source.write(Buffer.alloc(1_000));
  await says('#sessions tr', 'STOR /last.bin');
  await page.getByRole('button', { name: 'Drain…' }).click();
  await page.getByRole('button', { name: 'Drain', exact: true }).click();
  await says('#state', 'draining');
  await picture('draining');
  source.end();
  await upload;
  expect(await server.exited).toBe(0);
  await says('#trouble', 'has not answered');
  await picture('unreachable');
});
