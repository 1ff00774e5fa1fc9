#!/usr/bin/env node
/**
 * Debian's Firefox for Playwright, which speaks WebDriver BiDi with it: commands that Playwright sends with every context and this Firefox does not know
 * yet are answered here, as if it had done them. What they would have set is set by preferences (`browsers.ts`).
 */
const { spawn } = require('node:child_process');
const { createInterface } = require('node:readline');
const { ws: Socket, wsServer: SocketServer } = require('playwright-core/lib/utilsBundle');

const NOT_KNOWN = new Set(['emulation.setMediaFeaturesOverride']);

const firefox = spawn('/usr/bin/firefox-esr', process.argv.slice(2), { stdio: ['ignore', 'ignore', 'pipe'] });
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => firefox.kill(signal));
firefox.once('exit', (code) => process.exit(code ?? 1));
createInterface(firefox.stderr).on('line', (line) => {
  const address = /WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1];
  if (address) listen(address);
});

function listen(address) {
  const server = new SocketServer({ host: '127.0.0.1', port: 0 });
  server.on('listening', () => process.stderr.write(`WebDriver BiDi listening on ws://127.0.0.1:${server.address().port}\n`));
  server.on('connection', (playwright, { url }) => {
    const browser = new Socket(address + url, { perMessageDeflate: false });
    const open = new Promise((resolve) => browser.once('open', resolve));
    playwright.on('message', async (message) => {
      const { id, method } = JSON.parse(message);
      if (NOT_KNOWN.has(method)) return playwright.send(JSON.stringify({ type: 'success', id, result: {} }));
      await open;
      return browser.send(String(message));
    });
    browser.on('message', (message) => playwright.send(String(message)));
    playwright.on('close', () => browser.close());
    browser.on('close', () => playwright.close());
    browser.on('error', () => playwright.close());
  });
}
