/** The page in a browser, as a person has it before them: in headless Chromium and Firefox. */
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Download, firefox, type Locator, type Page } from 'playwright-core';
import { keptAs } from '../support/pictures';
import { PASSWORD, USER } from '../support/served';

export const browsers = ['chromium', 'firefox'] as const;
export type BrowserName = (typeof browsers)[number];

export const PATIENCE_MS = Number(process.env['PAGE_PATIENCE_MS'] ?? 60_000);
export const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 } };

/** `isDark`: Firefox is told once for all of its pages. */
export function launch(name: BrowserName, { isDark = false } = {}): Promise<Browser> {
  // Root, as in a container, can have no sandbox; the page is our own. The certificate is of an authority of the test's own: where Chromium is told so later, it connects twice each time,
  // and of two workers the same one always answers.
  if (name === 'chromium') return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--ignore-certificate-errors'] });
  const dark = isDark ? 1 : 0;
  return firefox.launch({
    channel: 'moz-firefox',
    executablePath: join(__dirname, 'firefox.cjs'),
    firefoxUserPrefs: { 'ui.systemUsesDarkTheme': dark, 'layout.css.prefers-color-scheme.content-override': 1 - dark },
  });
}

/** A page that a person uses. Whatever the browser complains of is kept: errors of a script, and what the content security policy refused. */
export class Visit {
  readonly complaints: string[] = [];
  private isPosing = false;

  constructor(
    readonly page: Page,
    private readonly port: number,
  ) {
    // What is wrong with another one's pages, such as those of a provider, is nobody's business here.
    page.on('console', (message) => message.type() === 'error' && page.url().startsWith(this.address) && this.complain(message.text()));
    page.on('pageerror', (error) => this.complain(error.message));
  }

  private complain(text: string): void {
    if (this.isPosing) return;
    // Firefox asks for an icon that the page does not name, and says that the policy refused it: as an error of the page.
    if (!/favicon\.ico|status of [45]\d\d|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION|ERR_NETWORK|ERR_FAILED/.test(text)) this.complaints.push(text);
  }

  private get address(): string {
    return `https://localhost:${this.port}/`;
  }

  go(): Promise<unknown> {
    return this.page.goto(this.address);
  }

  async signIn(password = PASSWORD): Promise<void> {
    await this.enter(password);
    await this.page.getByRole('button', { name: 'Sign out' }).waitFor();
    await this.listed();
  }

  async enter(password: string): Promise<void> {
    await this.page.getByLabel('Name').fill(USER);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
  }

  /** The folder's entries are there. */
  listed(): Promise<unknown> {
    return this.page.locator('main[aria-busy=false]').waitFor();
  }

  says(text: string | RegExp): Promise<unknown> {
    return this.page.getByRole('alert').getByText(text).waitFor();
  }

  row(name: string): Locator {
    return this.page.locator('#entries tr', { has: this.page.getByLabel(`Select ${name}`, { exact: true }) });
  }

  async names(): Promise<string[]> {
    return this.page.locator('#entries tr').evaluateAll((rows) => rows.map((row) => (row as unknown as { dataset: { path: string } }).dataset.path));
  }

  /** A folder of the list. */
  open(name: string): Promise<void> {
    return this.row(name).getByRole('link').click();
  }

  select(name: string): Promise<void> {
    return this.page.getByLabel(`Select ${name}`, { exact: true }).check();
  }

  press(name: string): Promise<void> {
    return this.page.getByRole('toolbar').getByRole('button', { name, exact: true }).click();
  }

  /** Answers the question that is asked. */
  async answer(text: string | undefined, yes: string): Promise<void> {
    const dialog = this.page.getByRole('dialog');
    if (text !== undefined) await dialog.locator('#ask-input').fill(text);
    await dialog.getByRole('button', { name: yes, exact: true }).click();
  }

  upload(path: string): Locator {
    return this.page.locator('#uploads li', { hasText: path });
  }

  async download(act: () => Promise<unknown>): Promise<Download> {
    const [download] = await Promise.all([this.page.waitForEvent('download'), act()]);
    return download;
  }

  /** Kept where pictures are asked for. */
  async picture(name: string): Promise<void> {
    const path = keptAs(`https-${name}.png`);
    if (!path) return;
    // Playwright puts a style into the page, which its policy does not let in.
    this.isPosing = true;
    await this.page.screenshot({ path, animations: 'disabled', caret: 'initial' });
    this.isPosing = false;
  }
}

export async function visit(browser: Browser, port: number, options: BrowserContextOptions = {}): Promise<Visit> {
  // The certificate is of an authority of the test's own.
  const context = await browser.newContext({ viewport: { width: 1100, height: 720 }, ignoreHTTPSErrors: true, acceptDownloads: true, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const one = new Visit(await context.newPage(), port);
  await one.go();
  return one;
}
