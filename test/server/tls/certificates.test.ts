import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { createServer } from 'node:tls';
import { Metrics } from '../../../server/admin/metrics';
import { tlsSchema } from '../../../server/config/tls';
import { ServerCertificates } from '../../../server/tls/certificates';
import { contextOptions, tlsPolicies } from '../../../server/tls/policy';
import { CertificateFolder, handshake, servedSerial } from '../support/certificates';
import { AuditRecorder, type TestServer, testServer } from '../support/server';

let place: CertificateFolder;
let server: TestServer | undefined;
beforeEach(async () => {
  place = await CertificateFolder.create();
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await place.remove();
});

const ca = () => place.authority.pem;

describe('certificates side by side', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('under %s serves the ECDSA certificate to who can take it, and the RSA one to who can not', async (version) => {
    const ec = await place.authority.issue();
    const rsa = await place.authority.issue({ rsa: true });
    server = await testServer({ tls: { certificates: [await place.put('rsa', rsa), await place.put('ec', ec)] } });
    const fixed = { ca: ca(), minVersion: version, maxVersion: version };
    expect(await servedSerial(server.implicit, fixed)).toBe(ec.serialNumber);
    expect(await servedSerial(server.implicit, { ...fixed, sigalgs: 'rsa_pss_rsae_sha256:rsa_pkcs1_sha256' })).toBe(rsa.serialNumber);
    if (version === 'TLSv1.2') expect(await servedSerial(server.implicit, { ...fixed, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' })).toBe(rsa.serialNumber);
  });

  it('serves the certificate of the name that the client asks for, and the first where it knows none', async () => {
    const names = [['a.example.com'], ['b.example.com', 'c.example.com'], ['*.wild.example.com']];
    const issued = await Promise.all(names.map((one) => place.authority.issue({ names: one })));
    server = await testServer({ tls: { certificates: await Promise.all(issued.map((one, index) => place.put(String(index), one))) } });
    const serial = (servername: string) => servedSerial(server!.implicit, { ca: ca(), servername, checkServerIdentity: () => undefined });
    expect(await serial('a.example.com')).toBe(issued[0]!.serialNumber);
    expect(await serial('C.example.com')).toBe(issued[1]!.serialNumber);
    expect(await serial('x.wild.example.com')).toBe(issued[2]!.serialNumber);
    expect(await serial('elsewhere.example.com')).toBe(issued[0]!.serialNumber);
    expect(await serial('')).toBe(issued[0]!.serialNumber);
  });

  it('serves the same certificate on the data connection as on the control connection', async () => {
    const issued = await Promise.all([['localhost'], ['b.example.com']].map((names) => place.authority.issue({ names })));
    server = await testServer({ tls: { certificates: await Promise.all(issued.map((one, index) => place.put(String(index), one))) } });
    const client = await server.client('explicit', { ca: ca(), servername: 'b.example.com', host: 'b.example.com' });
    await client.uploadFrom(Readable.from(['hello']), 'hello');
    await client.list();
    const [, ...data] = server.audit.of('tls-established');
    expect(data.map(({ tls }) => tls.serverName)).toEqual(['b.example.com', 'b.example.com']);
  });
});

describe('a replaced certificate', () => {
  it('is served to new handshakes by itself, while an open session goes on', async () => {
    const [old, fresh] = [await place.authority.issue(), await place.authority.issue()];
    server = await testServer({ tls: { certificates: [await place.put('server', old)] } });
    const client = await server.client('explicit', { ca: ca() });
    await place.put('server', fresh);
    await server.audit.next('certificate', ({ change, serialNumber }) => change === 'replaced' && serialNumber?.toLowerCase() === fresh.serialNumber);
    expect(await servedSerial(server.implicit, { ca: ca() })).toBe(fresh.serialNumber);
    await client.uploadFrom(Readable.from(['still here']), 'still-here');
    expect(server.audit.of('tls-established').at(-1)).toMatchObject({ channel: 'data', binding: 'resumed' });
  });

  it.each([
    [
      'belongs to another key',
      async () => ({ ...(await place.authority.issue()), key: (await place.authority.issue()).key }),
      'belongs to another certificate',
    ],
    ['has expired', () => place.authority.issue({ from: -90, until: -1 }), 'expired on'],
    ['is not valid yet', () => place.authority.issue({ from: 1 }), 'not valid before'],
    ['can not be read', async () => ({ certificate: 'not a certificate', key: 'not a key' }), 'no PEM certificate'],
    ['is one for clients', () => place.authority.issue({ client: true }), 'not meant for servers'],
  ] as const)('is refused when it %s; the last good one stays, audit and metrics say so', async (_what, bad, reason) => {
    const old = await place.authority.issue();
    server = await testServer({ tls: { certificates: [await place.put('server', old)] } });
    const refused = server.audit.next('certificate', ({ change }) => change === 'refused');
    await place.put('server', await bad());
    const event = await refused;
    expect(event.reason).toContain(reason);
    expect(event.reason).not.toContain('PRIVATE');
    expect(await servedSerial(server.implicit, { ca: ca() })).toBe(old.serialNumber);
    expect(await server.server.reload()).toBe(false);

    const metrics = new Metrics();
    metrics.counting(new AuditRecorder()).record(event);
    expect(await metrics.registry.metrics()).toContain('ftps_certificates_refused_total 1');
  });

  it('stops the start where it is the first', async () => {
    const certificates = [await place.put('server', await place.authority.issue({ from: -90, until: -1 }))];
    await expect(testServer({ tls: { certificates } })).rejects.toThrow(/^certificate \w+ in \S+server\S*: the certificate expired on/);
  });
});

describe('protocol policy', () => {
  it('speaks no version below TLS 1.2, and no newer one than a listener allows, data connections included', async () => {
    server = await testServer({ listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0, maxTlsVersion: 'TLSv1.2', dataTlsReuse: 'required' }] });
    const client = await server.client();
    for (let index = 0; index < 10; index += 1) await client.uploadFrom(Readable.from(['small']), `small-${index}`);
    const established = server.audit.of('tls-established');
    expect(established).toHaveLength(11);
    expect(new Set(established.map(({ tls }) => tls.protocol))).toEqual(new Set(['TLSv1.2']));
  });

  it.each([
    ['modern', 'X25519', true],
    ['fips', 'P-256', false],
  ] as const)('%s exchanges keys over %s, and takes ChaCha20: %s', async (policy, group, chacha) => {
    const issued = await place.authority.issue();
    const listening = createServer({ ...contextOptions(tlsPolicies[policy], 'TLSv1.3'), cert: issued.certificate, key: issued.key });
    await once(listening.listen(0, '127.0.0.1'), 'listening');
    const { port } = listening.address() as AddressInfo;
    const socket = await handshake(port, { ca: ca() });
    expect(socket.getEphemeralKeyInfo()).toMatchObject({ name: group === 'P-256' ? 'prime256v1' : group });
    socket.destroy();
    for (const ciphers of ['TLS_CHACHA20_POLY1305_SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305']) {
      const tried = handshake(port, { ca: ca(), ciphers, maxVersion: ciphers.startsWith('TLS_') ? 'TLSv1.3' : 'TLSv1.2' });
      if (chacha) (await tried).destroy();
      else await expect(tried).rejects.toThrow();
    }
    listening.close();
  });

  it('fips takes no certificate of Ed25519, which no handshake would succeed with, and says so at the start', async () => {
    const certificates = [await place.put('ec', await place.authority.issue()), await place.put('ed', await place.authority.issue({ ed25519: true }))];
    const opened = (policy: 'modern' | 'fips') => ServerCertificates.open({ ...tlsSchema.parse({ certificates, policy }) }, new AuditRecorder());
    (await opened('modern')).close();
    await expect(opened('fips')).rejects.toThrow(/ed\.pem: its key is Ed25519, which tls\.policy "fips" does not take, .*; take ECDSA or RSA/);
  });
});
