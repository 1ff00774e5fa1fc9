/** What names and contents of files, and pages of somebody else, can do to whoever is signed in. */
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { type ServedProcess, serveProcess } from '../support/served';
import { launch, Visit, visit } from './browsers';

// What functions that run in the browser find there.
// biome-ignore lint/suspicious/noExplicitAny: the browser's own classes are none of Node's
type Any = any;
declare const document: Any;
declare const window: Any;

/** Each says `XSS` to the console, or asks somebody else for something, where it is taken for markup or run. */
const NAMES = [
  '<img src=x onerror=console.error("XSS")>',
  '"><script>console.error("XSS")<',
  "' onmouseover=console.error('XSS') x='",
  '<svg onload=console.error("XSS")>.svg',
  '{{constructor.constructor("console.error(1)")()}}',
  'javascript:console.error("XSS")',
  'data:text,<script>console.error("XSS")<',
  '&lt;img src=x onerror=console.error("XSS")&gt;',
  '%3Cimg src=x onerror=console.error("XSS")%3E',
  '\u202eexe.txt',
  '#hash?query&a=b',
  '..%2f..%2fetc',
  'percent % only',
  '__proto__',
];
const CONTENTS = {
  'page.html': '<script>document.title = "XSS"; fetch("/api/v1/folders")</script>',
  'image.svg': '<svg xmlns="http://www.w3.org/2000/svg"><script>document.title = "XSS"</script></svg>',
  'script.js': 'document.title = "XSS"',
  'style.css': 'body { color: red }',
  polyglot: 'GIF89a/*<script>document.title = "XSS"</script>*/=1',
};

describe.each(['chromium'] as const)('%s', (name) => {
  let server: ServedProcess;
  let browser: Browser;
  let elsewhere: Server;
  /** What came to the other site. */
  const came: IncomingMessage[] = [];
  let at: Visit;
  let other: Page;
  beforeAll(async () => {
    server = await serveProcess('--https-port', '0');
    browser = await launch(name);
    elsewhere = createServer((request, response) => {
      came.push(request);
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>elsewhere</title><body></body>');
    }).listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    for (const one of NAMES) writeFileSync(join(server.files, one.replaceAll('/', '\u2215')), 'x');
    mkdirSync(join(server.files, '<b>folder'));
    writeFileSync(join(server.files, '<b>folder', 'inside'), 'x');
    for (const [one, content] of Object.entries(CONTENTS)) writeFileSync(join(server.files, one), content);
    at = await visit(browser, server.https!);
    await at.signIn();
    other = await at.page.context().newPage();
  });
  afterAll(async () => {
    await browser?.close();
    elsewhere?.closeAllConnections();
    elsewhere?.close();
    await server?.stop();
  });

  const own = () => `https://localhost:${server.https}`;
  const strange = () => `http://localhost:${(elsewhere.address() as AddressInfo).port}/`;

  it('names are shown as they are, in the list, in questions, in messages, as crumbs and as uploads', async () => {
    await at.page.bringToFront();
    for (const one of NAMES) {
      const shown = one.replaceAll('/', '\u2215');
      await at.row(shown).waitFor();
      // But for what would turn them around.
      expect(await at.row(shown).locator('a').textContent()).toBe(shown.replace('\u202e', '\\u202e'));
    }
    await at.select(NAMES[0]!);
    await at.press('Rename');
    expect(await at.page.locator('#ask-text').textContent()).toContain(NAMES[0]);
    await at.answer(NAMES[4]!, 'Rename');
    await at.page.getByRole('alert').waitFor();
    await at.page.locator('#choose').setInputFiles([{ name: NAMES[0]!, mimeType: 'text/html', buffer: Buffer.from('x') }]);
    await at.page.locator('#uploads li.bad').waitFor();
    await at.open('<b>folder');
    await at.row('inside').waitFor();
    expect(await at.page.locator('#crumbs [aria-current]').textContent()).toBe('<b>folder');
    await at.page.evaluate("location.hash = '#/%'");
    await at.row(NAMES[0]!).waitFor();
    await at.page.evaluate("location.hash = '#/<img src=x onerror=console.error(1)>'");
    await at.page.getByRole('alert').waitFor();
    expect(at.complaints).toEqual([]);
    expect(await at.page.evaluate("document.querySelectorAll('main img, main svg, main b, body > script').length")).toBe(0);
    await at.page.evaluate("location.hash = '#/'");
  });

  it('a name that is odd is downloaded as it is', async () => {
    await at.row('percent % only').waitFor();
    for (const one of ['percent % only', '#hash?query&a=b', '..%2f..%2fetc']) {
      const download = await at.download(() => at.row(one).locator('a').click());
      expect(await download.failure()).toBeNull();
    }
  });

  it.each(Object.keys(CONTENTS))('%s is saved and never shown, run or used, whoever asks', async (file) => {
    const url = `${own()}/api/v1/files/${file}`;
    await other.goto(strange());
    const download = other.waitForEvent('download').catch(() => undefined);
    // A download is no page, which is an error here.
    await other.goto(url).catch(() => undefined);
    await download;
    expect(other.url()).toBe(strange());
    expect(await other.title()).toBe('elsewhere');
    const used = await at.page.evaluate(
      (address) =>
        Promise.all(
          ['script', 'img', 'iframe', 'embed', 'object', 'link'].map(
            (kind) =>
              new Promise<string>((resolve) => {
                const element = document.createElement(kind);
                const end = (what: string) => resolve(`${kind}: ${what}`);
                element.onload = () => end(kind === 'iframe' && !element.contentDocument?.body?.textContent ? 'nothing' : 'loaded');
                element.onerror = () => end('nothing');
                setTimeout(() => end('nothing'), 1_000);
                try {
                  Object.assign(element, kind === 'link' ? { rel: 'stylesheet', href: address } : kind === 'object' ? { data: address } : { src: address });
                } catch {
                  end('nothing'); // trusted types
                }
                document.body.append(element);
              }),
          ),
        ),
      url,
    );
    expect(used.filter((one) => one.endsWith('loaded'))).toEqual([]);
    expect(await at.page.title()).toBe('Files');
    await at.page.evaluate(
      "for (const one of document.querySelectorAll('body > script, body > img, body > iframe, body > embed, body > object')) one.remove()",
    );
    at.complaints.length = 0; // that the policy refused them
  });

  it('a page of another site reads nothing, changes nothing, and frames nothing', async () => {
    writeFileSync(join(server.files, 'victim'), 'x');
    await other.goto(strange());
    const results = await other.evaluate(async (target) => {
      const tried: Record<string, string> = {};
      const ask = async (what: string, path: string, options: Any) => {
        tried[what] = await window.fetch(`${target}${path}`, { credentials: 'include', ...options }).then(
          async (answer: Any) => `${answer.status} ${(await answer.text()).length}`,
          () => 'refused',
        );
      };
      for (const path of ['/', '/page/main.js', '/api/v1/folders', '/api/v1/files/victim', '/api/v1/sign-in']) {
        await ask(`read ${path}`, path, {});
        await ask(`read ${path} blind`, path, { mode: 'no-cors' });
      }
      await ask('delete', '/api/v1/files/victim', { method: 'DELETE' });
      await ask('put', '/api/v1/files/planted', { method: 'PUT', body: 'x' });
      const move = JSON.stringify({ from: '/victim', to: '/moved' });
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json'])
        await ask(`move as ${type}`, '/api/v1/moves', {
          method: 'POST',
          mode: type.endsWith('json') ? 'cors' : 'no-cors',
          headers: { 'content-type': type },
          body: move,
        });
      await ask('sign in', '/api/v1/sign-in', {
        method: 'POST',
        mode: 'no-cors',
        headers: { 'content-type': 'text/plain' },
        body: '{"user":"partner","password":"x"}',
      });
      return tried;
    }, own());
    for (const [what, got] of Object.entries(results)) expect(`${what}: ${got}`).toMatch(/: (refused|0 0)$/);
    // A form goes to another page, with whatever cookies the browser lets go with it.
    const [answer] = await Promise.all([
      other.waitForResponse((response) => response.url().endsWith('/moves') && response.request().isNavigationRequest()),
      other.evaluate((action) => {
        const form = document.createElement('form');
        Object.assign(form, { method: 'POST', enctype: 'text/plain', action });
        document.body.append(form);
        form.submit();
      }, `${own()}/api/v1/moves`),
    ]);
    expect(answer.status()).toBe(403);
    expect(existsSync(join(server.files, 'victim'))).toBe(true);
    expect(existsSync(join(server.files, 'planted'))).toBe(false);
    await other.close();
    other = await at.page.context().newPage();
    await other.goto(strange());
    const framed = await other.evaluate(
      (src) =>
        new Promise<boolean>((resolve) => {
          const frame = document.createElement('iframe');
          frame.src = src;
          document.body.append(frame);
          setTimeout(() => {
            try {
              resolve(frame.contentDocument === null && frame.contentWindow.length > 0);
            } catch {
              resolve(false);
            }
          }, 1_000);
        }),
      `${own()}/`,
    );
    expect(framed).toBe(false);
    rmSync(join(server.files, 'victim'));
  });

  it('whoever goes elsewhere from the page takes no address of it along, and the other page has no hold of it', async () => {
    came.length = 0;
    await at.page.evaluate((href) => {
      const link = document.createElement('a');
      Object.assign(link, { href, target: '_blank', rel: 'opener', id: 'away' });
      document.body.append(link);
    }, `${strange()}away`);
    const [opened] = await Promise.all([at.page.context().waitForEvent('page'), at.page.evaluate("document.getElementById('away').click()")]);
    await opened.waitForLoadState();
    const asked = came.filter(({ url }) => url === '/away');
    expect(asked).toHaveLength(1);
    expect(asked[0]!.headers.referer).toBeUndefined();
    expect(await opened.evaluate('window.opener === null || window.opener.closed')).toBe(true);
    await opened.close();
  });

  it('a sign-in gets a cookie of its own, whatever was there, and the one before is worth nothing where it was never given out', async () => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const value = 'A'.repeat(43);
    await context.addCookies([{ name: '__Host-ftps', value, url: own(), secure: true, httpOnly: true }]);
    const one = await visitIn(context);
    await one.signIn();
    const [cookie, ...more] = await context.cookies();
    expect(more).toEqual([]);
    expect(cookie!.value).not.toBe(value);
    await context.clearCookies();
    await context.addCookies([{ ...cookie!, value }]);
    expect(await one.page.evaluate("fetch('/api/v1/sign-in').then(({ status }) => status)")).toBe(401);
    await context.close();
  });

  async function visitIn(context: Awaited<ReturnType<Browser['newContext']>>): Promise<Visit> {
    const one = new Visit(await context.newPage(), server.https!);
    await one.go();
    return one;
  }
});
