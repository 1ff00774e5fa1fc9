/** How people come in, in each browser: with a code beside the password, and at a provider of OpenID Connect. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { codeAt, newTotpSecret, stepAt } from '../../../server/identity/totp';
import { CertificateFolder } from '../../server/support/certificates';
import { freePort } from '../../server/support/free-port';
import { CLIENT_SECRET, type OidcProvider, oidcProvider } from '../../server/support/openid';
import { cheapHash } from '../support/restartable';
import { PASSWORD, type ServedProcess, serveConfigured } from '../support/served';
import { barriersIn } from './barriers';
import { browsers, launch, PHONE, type Visit, visit } from './browsers';

/** Of each browser its own: a code is good once. */
const secrets: Readonly<Record<string, string>> = Object.fromEntries(browsers.map((name) => [`ann-${name}`, newTotpSecret()]));
let place: CertificateFolder;
let provider: OidcProvider;
let server: ServedProcess;

beforeAll(async () => {
  place = await CertificateFolder.create();
  const port = await freePort();
  provider = await oidcProvider(`https://localhost:${port}/api/v1/sign-in/callback`);
  const { issuer, ca } = provider;
  const accounts = Object.entries(secrets).map(([user, secret]) => ({ user, passwordHash: cheapHash(PASSWORD), totp: { secret } }));
  server = await serveConfigured({
    listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
    https: {
      port,
      issuers: [
        {
          issuer,
          audience: ['nobody'],
          ca,
          rules: [{ claims: [{ name: 'groups', value: 'everybody' }], user: 'p-{sub}', account: { home: '/people/{sub}' } }],
        },
      ],
      signInWith: [{ name: 'the office', issuer, clientId: 'files', clientSecretFile: await place.write('client-secret', CLIENT_SECRET) }],
    },
    passive: { ports: 'any:4' },
    tls: { certificates: [await place.put('server', await place.authority.issue())] },
    identity: [{ kind: 'file', file: await place.write('accounts.json', JSON.stringify({ accounts })) }],
  });
  mkdirSync(join(server.files, 'people/ben'), { recursive: true });
  writeFileSync(join(server.files, 'people/ben/letter.txt'), 'x');
});
afterAll(async () => {
  await server?.stop();
  provider?.stop();
  await place?.remove();
});

describe.each(browsers)('%s', (name) => {
  let browser: Browser;
  let at: Visit;
  beforeAll(async () => {
    browser = await launch(name);
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    const { complaints } = at;
    await at.page.context().close();
    expect(complaints).toEqual([]);
  });

  const user = `ann-${name}`;
  async function enter(code: string): Promise<void> {
    await at.page.getByLabel('Name').fill(user);
    await at.page.getByLabel('Password').fill(PASSWORD);
    await at.page.getByLabel('Code of your app').fill(code);
    await at.page.keyboard.press('Enter');
  }
  const isInside = () => at.page.getByRole('button', { name: 'Sign out' }).waitFor();
  /** At the provider's own page, as it comes with it: first who one is, then that these files may know. */
  async function signInThere(login: string): Promise<void> {
    await at.page.getByRole('button', { name: 'Sign in with the office' }).click();
    await at.page.locator('input[name=login]').fill(login);
    await at.page.locator('input[name=password]').fill('x');
    await at.page.locator('button[type=submit]').click();
    await at.page.getByText('Authorize').waitFor();
    await at.page.locator('button[type=submit]').click();
  }

  it.each([
    ['desk', {}],
    ['phone', PHONE],
    ['dark', { colorScheme: 'dark' as const }],
  ])('password and code sign in, and a code that is wrong or was used does not (%s)', async (look, context) => {
    at = await visit(browser, server.https!, context);
    await at.page.getByRole('button', { name: 'Sign in with the office' }).waitFor();
    await at.picture(`${name}-${look}-ways-in`);
    expect(await barriersIn(at.page)).toEqual([]);
    await enter('000000');
    await at.says('Name, password or code is wrong.');
    await at.picture(`${name}-${look}-wrong-code`);
    expect(await barriersIn(at.page)).toEqual([]);
    if (look !== 'desk') return;
    const code = codeAt(secrets[user]!, stepAt(Date.now()));
    await enter(code);
    await isInside();
    await at.page.getByRole('button', { name: 'Sign out' }).click();
    // Nothing that was typed stays for who comes next.
    expect(await at.page.getByLabel('Code of your app').inputValue()).toBe('');
    await enter(code);
    await at.says('Name, password or code is wrong.');
  });

  it('a button leads to the provider, and back to the files of who signed in there', async () => {
    at = await visit(browser, server.https!);
    await signInThere('ben');
    await isInside();
    await at.page.getByText('p-ben').waitFor();
    await at.row('letter.txt').waitFor();
    await at.picture(`${name}-came-back`);
    // Nothing of the way there stays in the address or the history of the browser's page.
    expect(new URL(at.page.url()).search).toBe('');
    expect(await at.page.evaluate('document.cookie')).toBe('');
    await at.page.reload();
    await at.row('letter.txt').waitFor();
    await at.page.getByRole('button', { name: 'Sign out' }).click();
    await at.page.getByLabel('Password').waitFor();
    await at.page.reload();
    await at.page.getByRole('button', { name: 'Sign in with the office' }).waitFor();
    expect(await at.page.getByRole('button', { name: 'Sign out' }).isVisible()).toBe(false);
  });

  it('whom no rule knows is told so, in words', async () => {
    at = await visit(browser, server.https!);
    await signInThere('stranger');
    await at.says('You could not be signed in there, or have no account here.');
    await at.picture(`${name}-refused-elsewhere`);
    expect(await barriersIn(at.page)).toEqual([]);
    expect(new URL(at.page.url()).search).toBe('');
  });
});
