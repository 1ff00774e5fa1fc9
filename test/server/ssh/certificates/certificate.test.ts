import { randomInt, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Certificate, readCertificate } from '../../../../server/ssh/certificates/certificate';
import { Revocations } from '../../../../server/ssh/certificates/revocations';
import { UserCertificates } from '../../../../server/ssh/certificates/user-certificates';
import { fingerprintOf } from '../../../../server/ssh/public-key';
import { sshPolicies } from '../../../../server/ssh/transport/policy';
import { MalformedPacket, WireWriter } from '../../../../server/ssh/wire';
import { AuditRecorder } from '../../support/server';
import { certificate, Key, type Wishes } from './authority';
import { ecdsaCertificate, ed25519Certificate, krlOfAuthority, krlOfKeys, rsaCertificate } from './fixtures';

const authority = new Key();
const key = new Key();
const audit = new AuditRecorder();
const settings = { authorities: [], revoked: [], pollSeconds: 300 };

const open = (changes: object = {}, policy: 'modern' | 'fips' = 'modern') =>
  UserCertificates.open({ ...settings, ...changes }, sshPolicies[policy].userKeys, audit);
let plain: UserCertificates;
beforeAll(async () => {
  plain = await open();
});

const issued = (wishes: Wishes = {}, by = authority, of = key) => readCertificate(certificate(by, of, wishes));
const good = { onlySftp: false, networks: undefined };
const now = Date.UTC(2026, 0, 15);

describe('what ssh-keygen makes', () => {
  it.each([
    ['ed25519', ed25519Certificate, { serial: 42n, keyId: 'ann@laptop', principals: ['ann', 'demo'], validAfter: 0n, validBefore: 2n ** 64n - 1n }],
    ['ecdsa', ecdsaCertificate, { serial: 0n, keyId: 'bob', principals: ['bob'], validAfter: 1_767_225_600n, validBefore: 1_769_904_000n }],
    ['rsa', rsaCertificate, { serial: 2n ** 64n - 1n, keyId: 'eve', principals: ['eve'] }],
  ])('%s is read, and its signature holds', (_, blob, what) => {
    const read = readCertificate(blob);
    expect(read).toMatchObject({ isForUsers: true, ...what });
    expect(typeof plain.check(read, '192.0.2.7', now)).toBe('object');
  });

  it('what it is tied to is kept', () => {
    const read = readCertificate(ed25519Certificate);
    expect(plain.check(read, '192.0.2.7')).toMatchObject({ onlySftp: true });
    expect(plain.check(read, '2001:db8::1')).toMatchObject({ onlySftp: true });
    expect(plain.check(read, '198.51.100.7')).toBe('address-not-allowed');
    expect(plain.check(readCertificate(ecdsaCertificate), '192.0.2.7', Date.UTC(2026, 1, 1))).toBe('certificate-not-valid');
    expect(plain.check(readCertificate(ecdsaCertificate), '192.0.2.7', Date.UTC(2025, 11, 31))).toBe('certificate-not-valid');
  });

  it('FIPS takes no Ed25519 of an authority', async () => {
    const fips = await open({}, 'fips');
    expect(fips.check(readCertificate(ed25519Certificate), '192.0.2.7')).toBe('certificate-not-valid');
    expect(typeof fips.check(readCertificate(rsaCertificate), '192.0.2.7')).toBe('object');
  });
});

describe('a certificate is refused', () => {
  const rsa = new Key('rsa');
  const sha1 = (data: Buffer) =>
    new WireWriter()
      .string('ssh-rsa')
      .string(sign('sha1', data, rsa.privateKey))
      .done();
  const cases: readonly (readonly [string, () => Certificate])[] = [
    ['of a host', () => issued({ kind: 2 })],
    ['of no kind', () => issued({ kind: 0 })],
    ['of yesterday', () => issued({ validBefore: BigInt(now) / 1000n })],
    ['of tomorrow', () => issued({ validAfter: BigInt(now) / 1000n + 1n })],
    ['with an option that is not known', () => issued({ critical: [['verify-required', '']] })],
    ['for another command', () => issued({ critical: [['force-command', '/bin/sh']] })],
    ['for a command with words', () => issued({ critical: [['force-command', 'internal-sftp -R']] })],
    ['from no network', () => issued({ critical: [['source-address', '']] })],
    ['from a network that is none', () => issued({ critical: [['source-address', '192.0.2.0/24,all']] })],
    ['signed with SHA-1', () => issued({ sign: sha1 }, rsa)],
    [
      'signed by another',
      () =>
        issued({
          sign: (data) =>
            new WireWriter()
              .string('ssh-ed25519')
              .string(sign(null, data, new Key().privateKey))
              .done(),
        }),
    ],
    ['signed by nobody', () => issued({ sign: () => Buffer.alloc(0) })],
    [
      'signed in words of another kind',
      () =>
        issued({
          sign: (data) =>
            new WireWriter()
              .string('rsa-sha2-512')
              .string(sign(null, data, authority.privateKey))
              .done(),
        }),
    ],
    ['of an authority that is no key', () => issued({ authority: new WireWriter().string('ssh-ed25519').string('short').done() })],
  ];
  it.each(cases)('%s', (_, make) => {
    expect(plain.check(make(), '192.0.2.7', now)).toBe('certificate-not-valid');
  });

  it.each<readonly [string, Wishes]>([
    ['signed by a certificate', { authority: certificate(authority, new Key()) }],
    ['with bytes behind it', { behind: Buffer.from([0]) }],
    [
      'with an option twice',
      {
        critical: [
          ['source-address', '192.0.2.0/24'],
          ['source-address', '0.0.0.0/0'],
        ],
      },
    ],
    ['for more names than there can be', { principals: Array.from({ length: 257 }, (_, index) => `name${index}`) }],
  ])('%s', (_, wishes) => {
    expect(() => issued(wishes)).toThrow(MalformedPacket);
  });

  it('changed by a byte, anywhere', () => {
    const whole = certificate(authority, key, { critical: [['source-address', '192.0.2.0/24']] });
    for (let at = 0; at < whole.length; at += 1) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 1 + randomInt(255);
      let read: Certificate;
      try {
        read = readCertificate(changed);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedPacket);
        continue;
      }
      expect(typeof plain.check(read, '192.0.2.7', now)).toBe('string');
    }
  });

  it('broken off, or with lengths beyond its end', () => {
    const whole = certificate(authority, key);
    for (let length = 0; length < whole.length; length += 1) expect(() => readCertificate(whole.subarray(0, length))).toThrow(MalformedPacket);
    for (let at = 0; at + 4 <= whole.length; at += 1) {
      const changed = Buffer.from(whole);
      changed.writeUInt32BE(at % 2 === 0 ? 0xffff_ffff : 0x7fff_ffff, at);
      if (changed.equals(whole)) continue; // it is good for ever
      try {
        expect(plain.check(readCertificate(changed), '192.0.2.7', now)).toBe('certificate-not-valid');
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedPacket);
      }
    }
  });

  it('made of chance', () => {
    for (let round = 0; round < 2_000; round += 1) {
      const bytes = Buffer.from(ed25519Certificate);
      for (let change = 0; change < 8; change += 1) bytes[randomInt(bytes.length)] = randomInt(256);
      try {
        expect(typeof plain.check(readCertificate(bytes.subarray(0, bytes.length - randomInt(3))), '192.0.2.7', now)).toBe('string');
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedPacket);
      }
    }
  });
});

describe('revoked', () => {
  const one = () => issued({ serial: 7n, keyId: 'ann@laptop' });
  it.each([
    ['the key', () => fingerprintOf(key.blob), 'key-revoked'],
    ['the authority', () => fingerprintOf(authority.blob), 'key-revoked'],
    ['the number', () => 'serial:7', 'key-revoked'],
    ['a range', () => 'serial:5-9', 'key-revoked'],
    ['the name', () => 'id:ann@laptop', 'key-revoked'],
    ['another number', () => 'serial:8-9', good],
    ['another name', () => 'id:ann', good],
  ])('by %s', async (_, word, answer) => {
    expect((await open({ revoked: [word()] })).check(one(), '192.0.2.7')).toEqual(answer);
  });

  it('by a KRL: certificates of its authority alone', () => {
    const revocations = new Revocations([]).including(krlOfAuthority);
    const { keyBlob, authority: theirs } = readCertificate(ed25519Certificate);
    const isRevoked = (serial: bigint, keyId = 'x', by = theirs) => revocations.includes({ keyBlob, certificate: { serial, keyId, authority: by } });
    for (const serial of [1n, 3n, 10n, 100n, 4000n, 5001n, 5003n, 5004n, 5012n]) expect([serial, isRevoked(serial)]).toEqual([serial, true]);
    for (const serial of [0n, 4n, 9n, 11n, 99n, 4001n, 5000n, 5002n, 5011n, 5013n, 2n ** 64n - 1n])
      expect([serial, isRevoked(serial)]).toEqual([serial, false]);
    expect(isRevoked(0n, 'eve')).toBe(true);
    expect(isRevoked(1n, 'eve', authority.blob)).toBe(false);
  });

  it('by a KRL: keys, with or without a certificate', () => {
    const revocations = new Revocations([]).including(krlOfKeys);
    for (const blob of [ed25519Certificate, ecdsaCertificate, rsaCertificate]) {
      const { keyBlob, ...read } = readCertificate(blob);
      expect(revocations.includes({ keyBlob })).toBe(true);
      expect(revocations.includes({ keyBlob, certificate: read })).toBe(true);
    }
    expect(revocations.includes({ keyBlob: key.blob })).toBe(false);
  });

  it('by a KRL that is broken off, or of a later kind, nothing is let through', () => {
    for (let length = 8; length < krlOfAuthority.length; length += 1)
      try {
        // Between two sections it looks whole.
        new Revocations([]).including(krlOfAuthority.subarray(0, length));
        expect([44, krlOfAuthority.length]).toContain(length);
      } catch (error) {
        expect((error as Error).message).toContain('is a KRL that is broken off');
      }
    const later = Buffer.from(krlOfAuthority);
    later[11] = 2;
    expect(() => new Revocations([]).including(later)).toThrow('of a kind that is not known');
  });

  it('by a file, which is read again when it changes, and stays as it was where a line is wrong', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ftps-revoked-'));
    const file = join(folder, 'revoked');
    await expect(open({ revocationList: file })).rejects.toThrow(`sftp.userCertificates.revocationList: ${file} can't be read (ENOENT)`);
    writeFileSync(file, '# nobody yet\n');
    const watching = await open({ revocationList: file });
    expect(watching.check(one(), '192.0.2.7')).toEqual(good);
    writeFileSync(file, `${key.line}\nserial:9\n`);
    await audit.next('configuration', ({ change, what }) => change === 'reloaded' && what === 'revoked keys');
    expect(watching.check(one(), '192.0.2.7')).toBe('key-revoked');
    writeFileSync(file, 'nonsense\n');
    const { detail } = await audit.next('configuration', ({ change }) => change === 'refused');
    expect(detail).toContain('line 1 is neither a public key nor SHA256:…');
    expect(watching.check(one(), '192.0.2.7')).toBe('key-revoked');
    watching.close();
    rmSync(folder, { recursive: true, force: true });
  });
});
