/** What is stapled satisfies OpenSSL as a relying party, in both modes and versions, for both kinds of certificate. */
import { writeFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { CertificateFolder, handshake } from '../../server/support/certificates';
import { OcspResponder } from '../../server/support/ocsp-responder';
import { run, type ServedProcess, serveConfigured } from '../support/served';

let place: CertificateFolder;
let responder: OcspResponder;
let server: ServedProcess;
beforeAll(async () => {
  place = await CertificateFolder.create();
  responder = await OcspResponder.start();
  responder.signer = place.authority;
  await place.write('ca.pem', place.authority.pem);
  const issue = async (rsa: boolean) => {
    const issued = await place.authority.issue({ rsa, ocsp: responder.address });
    await place.write(rsa ? 'rsa-leaf.pem' : 'ec-leaf.pem', issued.certificate);
    return { ...issued, certificate: `${issued.certificate}\n${place.authority.pem}` };
  };
  server = await serveConfigured({
    listeners: [{ mode: 'implicit', host: '127.0.0.1', port: 0 }],
    passive: { ports: 'any:1' },
    tls: { certificates: [await place.put('ec', await issue(false)), await place.put('rsa', await issue(true))] },
    identity: [{ kind: 'file', file: await place.write('accounts.json', '{"accounts": []}') }],
  });
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
  responder.close();
  await place.remove();
});

it.each([
  ['ec', { maxVersion: 'TLSv1.2' }],
  ['ec', { minVersion: 'TLSv1.3' }],
  ['rsa', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES256-GCM-SHA384' }],
  ['rsa', { minVersion: 'TLSv1.3', sigalgs: 'rsa_pss_rsae_sha256' }],
] as const)('for the %s certificate, %j', async (kind, options) => {
  let answer: Buffer | null | undefined;
  while (!answer) {
    // The authority is asked in the background.
    const wanted = { ca: place.authority.pem, requestOCSP: true, ...options };
    const socket = await handshake(server.implicit, wanted as ConnectionOptions);
    answer = socket.stapled;
    socket.destroy();
  }
  writeFileSync(place.path('answer.der'), answer);
  const files = ['-issuer', place.path('ca.pem'), '-cert', place.path(`${kind}-leaf.pem`), '-CAfile', place.path('ca.pem')];
  const { code, output } = await run('openssl', ['ocsp', '-respin', place.path('answer.der'), ...files]);
  expect(output).toContain('Response verify OK');
  expect(output).toContain(`${kind}-leaf.pem: good`);
  expect(code).toBe(0);
});
