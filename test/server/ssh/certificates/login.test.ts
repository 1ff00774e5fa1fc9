import { once } from 'node:events';
import { Client } from 'ssh2';
import { signatureOf } from '../../../../server/ssh/public-key';
import { WireReader, WireWriter } from '../../../../server/ssh/wire';
import { PASSWORD } from '../../support/server';
import { type SftpServed, sftpServed } from '../served';
import { certificate, Key, type Wishes } from './authority';

const [ours, theirs, stranger] = [new Key(), new Key('ecdsa'), new Key()];
const key = new Key();
const revoked = new Key();

let server: SftpServed;
beforeAll(async () => {
  server = await sftpServed({ sftp: { scp: true, userCertificates: { authorities: [ours.line], revoked: ['serial:666'], pollSeconds: 300 } } }, [
    { user: 'demo' },
    { user: 'role', sshCertificates: { principals: ['deploy', 'release'] } },
    { user: 'partner', sshCertificates: { authorities: [theirs.line] } },
    { user: 'none', sshCertificates: { principals: [] } },
    { user: 'both', sshLogin: 'key-and-password', sshCertificates: {} },
    { user: 'gone', enabled: false },
  ]);
});
afterAll(() => server.close());

interface Internals {
  readonly _protocol: {
    readonly _kex: { readonly sessionID: Buffer };
    readonly _packetRW: { readonly write: { readonly allocStart: number; alloc(size: number): Buffer; finalize(packet: Buffer): Buffer } };
  };
}
const { sendPacket } = jest.requireActual('ssh2/lib/protocol/utils.js') as { sendPacket(protocol: object, packet: Buffer): void };

/** Proves at once what it has, in bytes of its own: ssh2 knows no certificates. */
async function login(
  user: string,
  blob: Buffer,
  { of = key, name = new WireReader(blob).text(), password }: { of?: Key; name?: string; password?: string } = {},
) {
  const client = new Client();
  let asked = 0;
  const refused = new Promise<'refused'>((resolve) => client.on('error', () => resolve('refused')));
  client.connect({
    host: '127.0.0.1',
    port: server.sftpPort,
    username: user,
    authHandler: (_left, partial, next) => {
      asked += 1;
      if (asked === 1) return next({ type: 'none', username: user });
      if (partial && password !== undefined) return next({ type: 'password', username: user, password });
      if (asked > 2) return next(false as never);
      const { _protocol: protocol } = client as unknown as Internals;
      const request = new WireWriter().byte(50).string(user).string('ssh-connection').string('publickey').boolean(true).string(name).string(blob).done();
      const data = Buffer.concat([new WireWriter().string(protocol._kex.sessionID).done(), request]);
      const payload = Buffer.concat([request, new WireWriter().string(signatureOf(of.privateKey, of.algorithm, data)).done()]);
      const { write } = protocol._packetRW;
      const packet = write.alloc(payload.length);
      packet.set(payload, write.allocStart);
      sendPacket(protocol, write.finalize(packet));
    },
  });
  const end = await Promise.race([once(client, 'ready').then(() => 'in' as const), refused]);
  return { end, client };
}
const last = (user: string) => server.audit.of('login').findLast(({ login: name }) => name === user);

const accepted: readonly (readonly [string, string, () => Buffer])[] = [
  ['by an authority of the server', 'demo', () => certificate(ours, key)],
  ['by one of several names', 'role', () => certificate(ours, key, { principals: ['other', 'release'] })],
  ['by an authority of the account', 'partner', () => certificate(theirs, key, { principals: ['partner'] })],
  ['from this network', 'demo', () => certificate(ours, key, { critical: [['source-address', '127.0.0.0/8']] })],
];
it.each<readonly [string, string, () => Buffer]>(accepted)('logs in: %s', async (_, user, blob) => {
  const { end, client } = await login(user, blob());
  expect(end).toBe('in');
  expect(last(user)).toMatchObject({
    outcome: 'success',
    method: 'publickey',
    proof: { key: expect.stringMatching(/^SHA256:/), certificate: { keyId: 'somebody', serial: '1' } },
  });
  client.end();
});

it.each(['ecdsa', 'rsa'] as const)('logs in with a key of %s', async (kind) => {
  const of = new Key(kind);
  const name = `${of.algorithm}-cert-v01@openssh.com`;
  const { end, client } = await login('demo', certificate(ours, of), { of, name });
  expect(end).toBe('in');
  client.end();
});

it('the certificate and then the password, where both are asked for', async () => {
  const blob = certificate(ours, key, { principals: ['both'], serial: 5n });
  expect((await login('both', blob, { password: 'wrong' })).end).toBe('refused');
  const { end, client } = await login('both', blob, { password: PASSWORD });
  expect(end).toBe('in');
  expect(last('both')).toMatchObject({ outcome: 'success', method: 'publickey+password', proof: { certificate: { serial: '5' } } });
  client.end();
});

interface Refusal {
  readonly what: string;
  readonly user: string;
  readonly wishes: Wishes;
  readonly reason: string;
  readonly by?: Key;
}
const refusals: readonly Refusal[] = [
  { what: 'for another name', user: 'demo', wishes: { principals: ['other'] }, reason: 'principal-not-listed' },
  { what: 'for no name', user: 'demo', wishes: { principals: [] }, reason: 'principal-not-listed' },
  { what: 'for the account where it wants other names', user: 'role', wishes: { principals: ['role'] }, reason: 'principal-not-listed' },
  { what: 'where no name is good', user: 'none', wishes: { principals: ['none'] }, reason: 'principal-not-listed' },
  { what: 'of an authority that nobody knows', user: 'demo', wishes: {}, reason: 'unknown-authority', by: stranger },
  { what: 'of an authority of another account', user: 'demo', wishes: {}, reason: 'unknown-authority', by: theirs },
  { what: 'of the server where the account has its own', user: 'partner', wishes: { principals: ['partner'] }, reason: 'unknown-authority' },
  { what: 'for an account that is disabled', user: 'gone', wishes: { principals: ['gone'] }, reason: 'account-disabled' },
  { what: 'for nobody', user: 'nobody', wishes: { principals: ['nobody'] }, reason: 'unknown-user' },
  { what: 'from another network', user: 'demo', wishes: { critical: [['source-address', '192.0.2.0/24']] }, reason: 'address-not-allowed' },
  { what: 'that ran out', user: 'demo', wishes: { validBefore: 1n }, reason: 'certificate-not-valid' },
  { what: 'that was revoked', user: 'demo', wishes: { serial: 666n }, reason: 'key-revoked' },
];
it.each(refusals)('is refused: $what', async ({ user, wishes, reason, by = ours }) => {
  expect((await login(user, certificate(by, key, wishes))).end).toBe('refused');
  expect(last(user)).toMatchObject({ outcome: 'failure', reason, proof: { certificate: {} } });
});

it('names that do not fit what comes, and signatures of another key, are refused', async () => {
  const blob = certificate(ours, key);
  expect((await login('demo', blob, { name: 'ssh-ed25519' })).end).toBe('refused');
  expect((await login('demo', key.blob, { name: 'ssh-ed25519-cert-v01@openssh.com' })).end).toBe('refused');
  expect((await login('demo', blob, { of: revoked })).end).toBe('refused');
  expect((await login('demo', certificate(ours, new Key('rsa')), { of: new Key('rsa'), name: 'ssh-rsa-cert-v01@openssh.com' })).end).toBe('refused');
});

it('a certificate that is tied to SFTP opens SFTP and no scp', async () => {
  const { client } = await login('demo', certificate(ours, key, { critical: [['force-command', 'internal-sftp']] }));
  expect(await new Promise((resolve) => client.exec('scp -t /', resolve))).toBeInstanceOf(Error);
  expect(await new Promise((resolve) => client.sftp((error) => resolve(error)))).toBeUndefined();
  client.end();
});
