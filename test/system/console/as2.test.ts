/** Messages of AS2 in the console, in headless Chromium. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { asking, PLAIN, party, send } from '../../server/as2/served';
import { CertificateFolder } from '../../server/support/certificates';
import { freePort } from '../../server/support/free-port';
import { serveConfigured } from '../support/served';

let place: CertificateFolder;
let browser: Browser;
beforeAll(async () => {
  place = await CertificateFolder.create();
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
});
afterAll(async () => {
  await browser.close();
  await place.remove();
});

it('shows what came and what waits, by partner, and failures alone where that is asked', async () => {
  const [us, plainPort, nobody] = [await party('us'), await freePort(), await freePort()];
  const signing = { kind: 'file', certificate: await place.write('us.pem', us.certificate), key: await place.write('us.key', us.key) };
  const server = await serveConfigured({
    listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
    passive: { ports: 'any:4' },
    workers: 2,
    tls: { certificates: [await place.put('server', await place.authority.issue())] },
    identity: [
      {
        kind: 'file',
        file: await place.write('accounts.json', JSON.stringify({ accounts: [{ user: 'demo', clientCertificate: 'instead-of-password', home: '/demo' }] })),
      },
    ],
    admin: { port: 0 },
    as2: {
      host: '127.0.0.1',
      plainPort,
      outboxSeconds: 0.2,
      identity: { as2Id: 'Us', signing },
      partners: [{ as2Id: 'Them', url: `http://127.0.0.1:${nobody}/as2`, ...PLAIN, retry: { attempts: 3, firstSeconds: 60 } }],
    },
  });
  const page = await browser.newPage();
  try {
    const complaints: string[] = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    await page.goto(`http://127.0.0.1:${server.admin}/`);
    const says = (text: RegExp) => page.locator('#as2-messages tr').filter({ hasText: text }).waitFor({ timeout: 60_000 });
    await page.getByText('No message has come or gone yet.').waitFor({ timeout: 60_000 });
    expect((await send(plainPort, { ...asking('<order-1@them>'), 'content-type': 'application/edifact' }, 'UNA')).status).toBe(200);
    await says(/Them.*in.*processed.*<order-1@them>/);
    mkdirSync(join(server.files, 'demo/outbox'), { recursive: true });
    writeFileSync(join(server.files, 'demo/outbox/invoice.edi'), 'UNA');
    await says(/Them.*out.*waiting.*\/outbox\/invoice\.edi: .*ECONNREFUSED/);
    await page.locator('#as2-only-bad').check();
    await page.locator('#as2-messages tr').waitFor(); // throws where there are more
    await page.locator('#as2-filter').fill('somebody else');
    await page.getByText('No message is like that.').waitFor();
    expect(complaints).toEqual([]);
  } finally {
    await page.close();
    await server.stop();
  }
});
