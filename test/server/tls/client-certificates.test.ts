import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { ServerConfigInput } from '../../../server/config';
import { alternativeNames } from '../../../server/tls/facts';
import { type Issued, TestAuthority } from '../support/authority';
import { CertificateFolder } from '../support/certificates';
import { PASSWORD, RawClient, readAll, type TestAccount, type TestServer, testServer } from '../support/server';

let place: CertificateFolder;
let partners: TestAuthority;
let strangers: TestAuthority;
let partner: Issued;
let server: TestServer;

beforeAll(async () => {
  place = await CertificateFolder.create();
  partners = await TestAuthority.create('CN=Partners');
  strangers = await TestAuthority.create('CN=Strangers');
  partner = await partners.issue({ client: true, commonName: 'acme', names: ['ftp.acme.example'] });
});
afterEach(() => server.close());
afterAll(() => place.remove());

async function start(
  clientCertificates: 'optional' | 'required',
  accounts: readonly TestAccount[],
  more: Partial<ServerConfigInput['listeners'][number]> = {},
) {
  server = await testServer(
    {
      listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0, clientCertificates, ...more }],
      tls: {
        certificates: [await place.put('server', await place.authority.issue())],
        clientCa: await place.write('partners.pem', partners.pem),
        clientCrl: await place.write('partners.crl', await partners.revoke()),
      },
    },
    accounts,
  );
}

const withCertificate = (issued: Issued) => ({ ca: place.authority.pem, cert: issued.certificate, key: issued.key });
const without = () => ({ ca: place.authority.pem });

/** A control connection that has made its handshake; what comes next is the test's. */
async function secured(options: object): Promise<RawClient> {
  const client = await RawClient.explicit(server);
  await client.reply();
  await client.upgrade(server, options);
  return client;
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('client certificates under %s', (version) => {
  const fixed = { minVersion: version, maxVersion: version };

  it.each([
    ['expired', () => partners.issue({ client: true, from: -20, until: -1 }), 'client-certificate-expired'],
    ['not valid yet', () => partners.issue({ client: true, from: 1 }), 'client-certificate-expired'],
    ['of an unknown authority', () => strangers.issue({ client: true }), 'client-certificate-unknown-ca'],
    ['for servers', () => partners.issue(), 'client-certificate-invalid'],
  ] as const)('one that is %s is dropped, and the audit says why, optional or required', async (_what, issue, reason) => {
    const bad = await issue();
    for (const mode of ['optional', 'required'] as const) {
      await start(mode, [{ user: 'demo' }]);
      const client = await RawClient.explicit(server);
      await client.reply();
      await client.upgrade(server, { ...withCertificate(bad), ...fixed }).catch(() => {});
      await client.rest().catch(() => '');
      expect(await server.audit.next('handshake-failed')).toMatchObject({ channel: 'control', reason });
      if (mode === 'optional') await server.close();
    }
  });

  it('a missing one is dropped where it is required, and taken where it is optional', async () => {
    await start('required', [{ user: 'demo' }]);
    const client = await RawClient.explicit(server);
    await client.reply();
    await client.upgrade(server, { ...without(), ...fixed }).catch(() => {});
    await client.rest().catch(() => '');
    expect(await server.audit.next('handshake-failed')).toMatchObject({ reason: 'client-certificate-missing' });
    await server.close();

    await start('optional', [{ user: 'demo' }]);
    const plain = await RawClient.loggedIn(server, { ...without(), ...fixed });
    expect(await plain.send('PWD')).toMatch(/^257/);
    plain.close();
  });

  it('a revocation list that changes is obeyed by the next handshake, while the session of the revoked one goes on', async () => {
    await start('required', [
      { user: 'acme', passwordHash: undefined, clientCertificate: 'instead-of-password', certificates: [{ kind: 'subject', commonName: 'acme' }] },
    ]);
    const before = await secured({ ...withCertificate(partner), ...fixed });
    expect(await before.send('USER acme')).toMatch(/^232/);
    await place.write('partners.crl', await partners.revoke(partner.serialNumber));
    await server.audit.next('configuration', ({ what }) => what === 'client authorities');
    const after = await RawClient.explicit(server);
    await after.reply();
    await after.upgrade(server, { ...withCertificate(partner), ...fixed }).catch(() => {});
    await after.rest().catch(() => '');
    expect(await server.audit.next('handshake-failed')).toMatchObject({ reason: 'client-certificate-revoked' });
    expect(await before.send('PWD')).toMatch(/^257/);
    before.close();
  });

  it('stand for a data connection that resumes nothing, even where binding is required', async () => {
    await start('optional', [{ user: 'demo' }], { dataTlsReuse: 'required' });
    const client = await RawClient.loggedIn(server, { ...withCertificate(partner), ...fixed });
    const port = await client.epsv();
    client.write('NLST\r\n');
    const data = await client.data(server, port, { ...withCertificate(partner), ...fixed, session: undefined });
    expect(await client.reply()).toMatch(/^150/);
    await readAll(data);
    expect(await client.reply()).toMatch(/^226/);
    expect(server.audit.of('tls-established').at(-1)).toMatchObject({ channel: 'data', binding: 'same-certificate' });
    client.close();
  });
});

it('another certificate of the same authority ties no data connection to the session', async () => {
  await start('optional', [{ user: 'demo' }], { dataTlsReuse: 'required' });
  const client = await RawClient.loggedIn(server, withCertificate(partner));
  const other = await partners.issue({ client: true, commonName: 'other' });
  const port = await client.epsv();
  client.write('NLST\r\n');
  const stranger = await client.data(server, port, { ...withCertificate(other), session: undefined });
  stranger.on('error', () => {});
  await once(stranger.resume(), 'close');
  expect(await client.reply()).toMatch(/^150/);
  expect(await client.reply()).toMatch(/^522/);
  client.close();
});

describe('the certificate of an account', () => {
  const fingerprint = () => ({ kind: 'fingerprint', sha256: new X509Certificate(partner.certificate).fingerprint256 });

  it.each([
    ['its fingerprint', fingerprint],
    ['its common name', () => ({ kind: 'subject', commonName: 'acme' })],
    ['an alternative name', () => ({ kind: 'san', value: 'DNS:ftp.acme.example' })],
  ])('logs it in by %s, without a password', async (_how, rule) => {
    await start('optional', [{ user: 'acme', passwordHash: undefined, clientCertificate: 'instead-of-password', certificates: [rule()] }, { user: 'demo' }]);
    const client = await secured(withCertificate(partner));
    expect(await client.send('USER acme')).toMatch(/^232/);
    expect(await client.send('PWD')).toMatch(/^257/);
    expect(server.audit.of('login')).toEqual([expect.objectContaining({ outcome: 'success', method: 'certificate' })]);
    client.close();

    const other = await secured(withCertificate(await partners.issue({ client: true, commonName: 'other', names: ['other.example'] })));
    expect(await other.send('USER acme')).toMatch(/^331/);
    expect(await other.send(`PASS ${PASSWORD}`)).toMatch(/^530/);
    other.close();
  });

  it('is needed beside the password where the account says so', async () => {
    await start('optional', [{ user: 'acme', clientCertificate: 'required', certificates: [{ kind: 'subject', commonName: 'acme' }] }]);
    const logIn = async (options: object, password = PASSWORD) => {
      const client = await secured(options);
      const replies = [await client.send('USER acme'), await client.send(`PASS ${password}`)].map((reply) => reply.slice(0, 3));
      client.close();
      return replies;
    };
    expect(await logIn(without())).toEqual(['331', '530']);
    expect(await logIn(withCertificate(await partners.issue({ client: true, commonName: 'other' })))).toEqual(['331', '530']);
    expect(await logIn(withCertificate(partner), 'wrong')).toEqual(['331', '530']);
    expect(await logIn(withCertificate(partner))).toEqual(['331', '230']);
    expect(server.audit.of('login').map(({ outcome, reason, method }) => reason ?? `${outcome} ${method}`)).toEqual([
      'certificate-required',
      'certificate-not-mapped',
      'wrong-password',
      'success password+certificate',
    ]);
  });

  it('carries transfers with basic-ftp', async () => {
    await start('required', [{ user: 'acme', clientCertificate: 'required', certificates: [{ kind: 'subject', commonName: 'acme' }] }]);
    const client = await server.client('explicit', withCertificate(partner), 'acme');
    await client.uploadFrom(Readable.from(['hello']), 'hello');
    expect((await client.list()).map(({ name }) => name)).toEqual(['hello']);
  });

  it('is not taken from a name that only contains the right one', () => {
    expect(alternativeNames('DNS:"x, DNS:ftp.acme.example, DNS:y", IP Address:2001:DB8:0:0:0:0:0:1, email:a@b.example')).toEqual([
      'DNS:x, DNS:ftp.acme.example, DNS:y',
      'IP Address:2001:DB8:0:0:0:0:0:1',
      'email:a@b.example',
    ]);
    expect(alternativeNames('')).toEqual([]);
  });
});
