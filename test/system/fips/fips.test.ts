/** The server, its clients and its logins under OpenSSL's real FIPS provider, which setup.sh builds. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestAuthority } from '../../server/support/authority';
import { CertificateFolder } from '../../server/support/certificates';
import { BUNDLE, PASSWORD, run, type ServedProcess, serveConfigured } from '../support/served';

const provider = join(process.env.CDK_FTPS_CACHE ?? '', 'fips');
const fips = { ...process.env, OPENSSL_CONF: join(provider, 'openssl.cnf'), OPENSSL_MODULES: provider };

let place: CertificateFolder;
let partners: TestAuthority;
let server: ServedProcess;
beforeAll(async () => {
  place = await CertificateFolder.create();
  partners = await TestAuthority.create('CN=Partners');
  await place.write('ca.pem', place.authority.pem);
  const { certificate, key } = await partners.issue({ client: true, commonName: 'acme' });
  await place.write('acme.pem', certificate);
  await place.write('acme.key', key);
  await place.write('accounts.json', JSON.stringify({ accounts: [partner(hash('user', 'hash')), acme] }));
  server = await serveConfigured(await config(), fips);
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
  await place.remove();
});

const partner = (passwordHash: string) => ({ user: 'partner', passwordHash });
const acme = { user: 'acme', clientCertificate: 'instead-of-password', certificates: [{ kind: 'subject', commonName: 'acme' }] };

/** What `ftps` prints within FIPS. */
function hash(...args: string[]): string {
  return spawnSync(process.execPath, [BUNDLE, ...args], { env: fips, input: `${PASSWORD}\n` })
    .stdout.toString()
    .trim();
}

async function config() {
  const listener = { host: '127.0.0.1', port: 0, clientCertificates: 'optional' };
  return {
    listeners: [
      { mode: 'explicit', ...listener },
      { mode: 'implicit', ...listener },
    ],
    passive: { ports: 'any:4' },
    tls: {
      policy: 'fips',
      certificates: [await place.put('ec', await place.authority.issue()), await place.put('rsa', await place.authority.issue({ rsa: true }))],
      clientCa: await place.write('partners.pem', partners.pem),
      clientCrl: await place.write('partners.crl', await partners.revoke()),
    },
    identity: [{ kind: 'file', file: place.path('accounts.json') }],
  };
}

const ca = () => place.path('ca.pem');
const url = (mode: 'explicit' | 'implicit') => `${mode === 'explicit' ? 'ftp' : 'ftps'}://localhost:${server[mode]}/`;
const curl = (login: string, ...args: string[]) => run('curl', ['-sS', '--config', '-', '--cacert', ca(), '--ssl-reqd', ...args], login);
const byPassword = `user = "partner:${PASSWORD.replaceAll('"', '\\"')}"\n`;

describe('start', () => {
  const serve = async (env: NodeJS.ProcessEnv, accounts: object[]) => {
    const file = await place.write('other-accounts.json', JSON.stringify({ accounts }));
    const whole = { ...(await config()), storage: { kind: 'local', root: place.path('files') }, identity: [{ kind: 'file', file }] };
    return spawnSync(process.execPath, [BUNDLE, 'serve', '--config', await place.write('config.json', JSON.stringify(whole))], { env, timeout: 60_000 });
  };

  it('is refused without the provider, although Node calls itself in FIPS mode when told so', async () => {
    const { OPENSSL_CONF: _, OPENSSL_MODULES: __, ...stock } = fips;
    const { status, stderr } = await serve(stock, [acme]);
    expect(status).not.toBe(0);
    expect(stderr.toString()).toMatch(/tls\.policy: "fips" needs an OpenSSL provider/);
  });

  it('is refused with a hash that can not be checked within FIPS, and says what to do', async () => {
    const { status, stderr } = await serve(fips, [partner('$scrypt$ln=15,r=8,p=3$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U')]);
    expect(status).not.toBe(0);
    expect(stderr.toString()).toContain('accounts[0].passwordHash: is a scrypt hash');
    expect(stderr.toString()).toContain('ftps user hash --fips');
  });
});

describe.each(['1.2', '1.3'] as const)('under TLS %s', (version) => {
  const fixed = [`--tlsv${version}`, '--tls-max', version];

  it.each(['explicit', 'implicit'] as const)('curl uploads, lists and downloads in %s mode, logged in by password', async (mode) => {
    const sent = join(server.folder, 'sent.bin');
    writeFileSync(sent, Buffer.alloc(2_000_000, 'fips'));
    expect(await curl(byPassword, ...fixed, '-T', sent, `${url(mode)}curl.bin`)).toEqual({ code: 0, output: '' });
    expect(await curl(byPassword, ...fixed, `${url(mode)}curl.bin`, '-o', join(server.folder, 'back.bin'))).toEqual({ code: 0, output: '' });
    expect(readFileSync(join(server.folder, 'back.bin')).equals(readFileSync(sent))).toBe(true);
    expect((await curl(byPassword, ...fixed, url(mode))).output).toContain('curl.bin');
    for (const line of server.audit()) if (line.class_uid === 4001 && line.tls) expect(line.tls.cipher).toMatch(/AES_(128|256)_GCM/);
  });

  it('a client certificate logs in without a password', async () => {
    const { code, output } = await curl('user = "acme:"\n', ...fixed, '--cert', place.path('acme.pem'), '--key', place.path('acme.key'), url('explicit'));
    expect(output).toContain('curl.bin');
    expect(code).toBe(0);
  });

  it('lftp uploads ten files', async () => {
    const script = join(server.folder, 'commands.lftp');
    const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
    writeFileSync(
      script,
      [
        `set ssl:ca-file ${quoted(ca())}`,
        `set ssl:priority NORMAL:-VERS-ALL:+VERS-TLS${version}`,
        'set ftp:ssl-force true',
        'set cmd:fail-exit true',
        'set net:max-retries 1',
        `open -u partner,${quoted(PASSWORD)} ${url('implicit')}`,
        ...Array.from({ length: 10 }, (_, index) => `put ${quoted(join(server.folder, 'sent.bin'))} -o lftp-${version}-${index}`),
        'bye',
      ].join('\n'),
    );
    expect(await run('lftp', ['-f', script])).toEqual({ code: 0, output: '' });
    expect(readFileSync(join(server.files, `lftp-${version}-9`))).toHaveLength(2_000_000);
  });
});

describe('openssl s_client', () => {
  const connect = (...args: string[]) => run('openssl', ['s_client', '-connect', `localhost:${server.implicit}`, '-CAfile', ca(), ...args], 'QUIT\r\n');

  it.each(['-tls1_2', '-tls1_3'])('agrees on P-256 under %s', async (version) => {
    const { output } = await connect(version);
    expect(output).toMatch(/Server Temp Key: ECDH, prime256v1/);
    expect(output).toMatch(/Cipher is (ECDHE-\w+-AES256-GCM-SHA384|TLS_AES_256_GCM_SHA384)/);
  });

  it.each([
    ['only X25519', ['-groups', 'X25519']],
    ['only ChaCha20, TLS 1.3', ['-tls1_3', '-ciphersuites', 'TLS_CHACHA20_POLY1305_SHA256']],
    ['only ChaCha20, TLS 1.2', ['-tls1_2', '-cipher', 'ECDHE+CHACHA20']],
    ['only Ed25519 signatures', ['-sigalgs', 'ed25519']],
  ])('with %s is refused', async (_what, args) => {
    expect((await connect(...args)).output).toMatch(/Cipher is \(NONE\)/);
  });
});

it('a wrong password and an unknown user are refused alike', async () => {
  expect((await curl('user = "partner:wrong"\n', url('explicit'))).code).toBe(67);
  expect((await curl('user = "nobody:wrong"\n', url('explicit'))).code).toBe(67);
  const refusals = () => server.audit().flatMap((line) => (line.class_uid === 3002 && line.status_id === 2 ? [line.status_detail] : []));
  while (refusals().length < 2) await new Promise((resolve) => setTimeout(resolve, 20)); // written when the client may be gone already
  expect(refusals()).toEqual(['wrong-password', 'unknown-user']);
});
