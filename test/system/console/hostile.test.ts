/** A page of somebody else in the administrator's own browser: what it can send to the console, and what it can learn from it. Headless Chromium. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { CertificateFolder } from '../../server/support/certificates';
import { cheapHash } from '../support/restartable';
import { PASSWORD, type ServedProcess, serveConfigured, USER } from '../support/served';

// What functions that run in the browser find there.
interface Element {
  [property: string]: unknown;
  submit(): void;
  append(child: Element): void;
}
declare const document: { createElement(name: string): Element; readonly body: Element };

let place: CertificateFolder;
let browser: Browser;
let server: ServedProcess;
let elsewhere: Server;
let page: Page;
beforeAll(async () => {
  place = await CertificateFolder.create();
  server = await serveConfigured({
    listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
    passive: { ports: 'any:4' },
    tls: { certificates: [await place.put('server', await place.authority.issue())] },
    identity: [{ kind: 'file', file: await place.write('accounts.json', JSON.stringify({ accounts: [{ user: USER, passwordHash: cheapHash(PASSWORD) }] })) }],
    admin: { port: 0 },
  });
  elsewhere = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>elsewhere</title><body></body>');
  }).listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  // Root, as in a container, can have no sandbox. Every name of the attacker's is this machine, as after DNS rebinding.
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--host-resolver-rules=MAP *.attacker.test 127.0.0.1'] });
}, 60_000);
afterAll(async () => {
  await browser.close();
  elsewhere.closeAllConnections();
  elsewhere.close();
  await server.stop();
  await place.remove();
});
beforeEach(async () => {
  page = await browser.newPage();
});
afterEach(() => page.close());

const console_ = () => `http://127.0.0.1:${server.admin}`;
const health = async () => (await fetch(`${console_()}/health`)).status;

/** The pages that attack: another name, the same address with another port, and another name of this machine with another port. */
const origins = ['www.attacker.test', '127.0.0.1', 'localhost'];

describe.each(origins)('a page of %s', (host) => {
  beforeEach(async () => {
    await page.goto(`http://${host}:${(elsewhere.address() as AddressInfo).port}/`);
  });

  it('reads nothing', async () => {
    for (const path of ['/', '/health', '/metrics', '/overview', '/sessions']) {
      const got = await page.evaluate(async (url) => {
        const text = await fetch(url).then(
          (answer) => answer.text(),
          () => 'refused',
        );
        const blind = await fetch(url, { mode: 'no-cors' }).then(
          async (answer) => `${answer.status}${await answer.text()}`,
          () => 'refused',
        );
        return { text, blind };
      }, `${console_()}${path}`);
      expect({ path, text: got.text }).toEqual({ path, text: 'refused' });
      expect(['refused', '0']).toContain(got.blind);
    }
  });

  it.each(['/drain', '/reload'])('posts to %s, which does nothing', async (path) => {
    const answers: number[] = [];
    page.on('response', (response) => response.url().endsWith(path) && answers.push(response.status()));
    await page.evaluate(async (url) => {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json'])
        await fetch(url, { method: 'POST', mode: type.endsWith('json') ? 'cors' : 'no-cors', headers: { 'content-type': type }, body: '{}' }).catch(() => {});
    }, `${console_()}${path}`);
    expect(await health()).toBe(200);
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith(path) && response.request().isNavigationRequest()),
      page.evaluate((url) => {
        const form = document.createElement('form');
        Object.assign(form, { method: 'POST', enctype: 'text/plain', action: url });
        document.body.append(form);
        form.submit();
      }, `${console_()}${path}`),
    ]);
    expect(answer.status()).toBe(403);
    // Answers that the browser keeps from the page are not told to the test either.
    expect(answers.filter((status) => status !== 403)).toEqual([]);
    expect(await health()).toBe(200);
  });

  it('does not frame it, nor use it as a script or a style', async () => {
    await page.evaluate((url) => {
      const frame = document.createElement('iframe');
      Object.assign(frame, { src: url });
      document.body.append(frame);
      return new Promise((resolve) => Object.assign(frame, { onload: resolve, onerror: resolve }));
    }, `${console_()}/`);
    for (const frame of page.frames().slice(1)) expect(await frame.content()).not.toMatch(/console\.client|id="state"/);
    const loaded = await page.evaluate(
      (base) =>
        Promise.all(
          [
            ['script', { src: `${base}/console.js` }],
            ['script', { src: `${base}/overview` }],
            ['link', { rel: 'stylesheet', href: `${base}/console.css` }],
          ].map(([name, properties]) => {
            const element = document.createElement(name as string);
            const end = new Promise((resolve) => Object.assign(element, { onload: () => resolve('loaded'), onerror: () => resolve('refused') }));
            Object.assign(element, properties);
            document.body.append(element);
            return end;
          }),
        ),
      console_(),
    );
    expect(loaded).toEqual(['refused', 'refused', 'refused']);
  });
});

it('a name that has come to mean this machine (DNS rebinding) is refused, for reads and for posts', async () => {
  const own = `http://rebound.attacker.test:${server.admin}`;
  const answer = await page.goto(`${own}/`);
  expect(answer!.status()).toBe(403);
  const statuses = await page.evaluate(async () => {
    const got = await Promise.all(['/overview', '/sessions', '/metrics'].map((path) => fetch(path)));
    return [...got, await fetch('/drain', { method: 'POST' }), await fetch('/reload', { method: 'POST', body: '{}' })].map(({ status }) => status);
  });
  expect(statuses).toEqual([403, 403, 403, 403, 403]);
  expect(await health()).toBe(200);
});

it('the console itself is not refused', async () => {
  await page.goto(`${console_()}/`);
  await page.locator('#state').filter({ hasText: 'serving' }).waitFor();
});
