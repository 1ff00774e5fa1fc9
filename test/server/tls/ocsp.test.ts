import { setImmediate } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { TestAuthority } from '../support/authority';
import { CertificateFolder, handshake } from '../support/certificates';
import { OcspResponder } from '../support/ocsp-responder';
import { type TestServer, testServer } from '../support/server';

let place: CertificateFolder;
let responder: OcspResponder;
let server: TestServer | undefined;
beforeEach(async () => {
  place = await CertificateFolder.create();
  responder = await OcspResponder.start();
  responder.signer = place.authority;
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  responder.close();
  await place.remove();
});

/** A certificate with its chain, since the question names the issuer. */
async function issue(options: { rsa?: boolean } = {}) {
  const issued = await place.authority.issue({ ...options, ocsp: responder.address });
  return { ...issued, certificate: `${issued.certificate}\n${place.authority.pem}` };
}

/** The answer that is stapled to a handshake, if any. */
async function stapled(options: object = {}): Promise<Buffer | null> {
  const socket = await handshake(server!.implicit, { ca: place.authority.pem, requestOCSP: true, ...options } as ConnectionOptions);
  socket.destroy();
  return socket.stapled ?? null;
}

describe('OCSP stapling', () => {
  it('staples the answer of the authority to who asks for it, to each kind of certificate its own', async () => {
    server = await testServer({ tls: { certificates: [await place.put('ec', await issue()), await place.put('rsa', await issue({ rsa: true }))] } });
    await expectStaple();
    const [ec, rsa] = [await stapled(), await stapled({ sigalgs: 'rsa_pss_rsae_sha256:rsa_pkcs1_sha256' })];
    expect(ec).toBeInstanceOf(Buffer);
    expect(rsa).toBeInstanceOf(Buffer);
    expect(rsa!.equals(ec!)).toBe(false);
    expect((await stapled({ maxVersion: 'TLSv1.2' }))!.equals(ec!)).toBe(true);
    expect((await stapled({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES256-GCM-SHA384' }))!.equals(rsa!)).toBe(true);
    expect(await stapled({ requestOCSP: false })).toBeNull();
  });

  it.each([
    [
      'calls the certificate revoked',
      () => {
        responder.says = 'revoked';
      },
      'revoked',
    ],
    [
      'gives an old answer',
      () => {
        responder.says = 'stale';
      },
      'of another time',
    ],
    [
      'gives none',
      () => {
        responder.says = 'nothing';
      },
      'tryLater',
    ],
    [
      'is not the one that signs',
      async () => {
        responder.signer = await TestAuthority.create();
      },
      'not signed by the authority',
    ],
    ['can not be reached', () => responder.close(), 'does not answer'],
  ] as const)('staples nothing and serves on when the authority %s, and says so', async (_what, prepare, reason) => {
    await prepare();
    server = await testServer({ tls: { certificates: [await place.put('server', await issue())] } });
    expect((await server.audit.next('health', ({ part }) => part === 'ocsp')).detail).toContain(reason);
    expect(await stapled()).toBeNull();
  });

  it('asks nobody where it is switched off', async () => {
    server = await testServer({ tls: { certificates: [await place.put('server', await issue())], ocspStapling: false } });
    expect(await stapled()).toBeNull();
    expect(responder.asked).toBe(0);
  });
});

/** Answers are fetched in the background. */
async function expectStaple(): Promise<void> {
  while (!(await stapled()) || !(await stapled({ sigalgs: 'rsa_pss_rsae_sha256:rsa_pkcs1_sha256' }))) await setImmediate();
}
