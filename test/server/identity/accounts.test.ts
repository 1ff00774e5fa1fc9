import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../../../server/config';
import { fileAccounts, readAccounts } from '../../../server/identity/file-accounts';
import { hashPassword } from '../../../server/identity/password';
import { passwordChecks, verifyPassword } from '../support/passwords';
import { quickHash } from '../support/quick-hash';
import { AuditRecorder } from '../support/server';

const passwords = passwordChecks();

describe('password hashes', () => {
  it.each([false, true])('verify the password they were made from, and no other (fips: %s)', async (fips) => {
    const hash = await hashPassword('päss "word"', { fips });
    expect(hash).toMatch(fips ? /^\$pbkdf2-sha256\$i=600000\$/ : /^\$scrypt\$ln=15,r=8,p=3\$/);
    expect(await verifyPassword('päss "word"', hash)).toBe(true);
    expect(await verifyPassword('päss "word', hash)).toBe(false);
  });

  it('differ for one password', async () => {
    expect(await hashPassword('x')).not.toBe(await hashPassword('x'));
  });

  it.each(['', '$scrypt$', '$md5$x$y$z', '$scrypt$ln=99,r=8,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAA', '$pbkdf2-sha256$i=99999999999$AAAA$AAAAAAAAAAAAAAAAAAAAAAAA'])(
    'that can not be read verify nothing: %s',
    async (hash) => {
      expect(await verifyPassword('x', hash)).toBe(false);
    },
  );
});

describe('an accounts file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ftps-accounts-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('with mistakes is refused with all of them, by key, and without the hashes', async () => {
    const file = join(folder, 'accounts.json');
    await writeFile(
      file,
      JSON.stringify({
        accounts: [{ user: 'a b', passwordHash: 'plain-secret' }, { user: 'c' }, { user: 'd', passwordHash: '$scrypt$x', permissions: ['fly'] }],
      }),
    );
    const error = (await readAccounts(file).catch((caught: unknown) => caught)) as ConfigError;
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).not.toContain('plain-secret');
    expect(error.problems.map(({ key }) => key)).toEqual(
      expect.arrayContaining(['accounts[0].user', 'accounts[0].passwordHash', 'accounts[2].permissions[0]']),
    );
  });

  it('is read again when it is replaced, and a bad one leaves the accounts as they were', async () => {
    const file = join(folder, 'accounts.json');
    const account = (user: string) => JSON.stringify({ accounts: [{ user, passwordHash: quickHash('secret') }] });
    await writeFile(file, account('first'));
    const audit = new AuditRecorder();
    const accounts = await fileAccounts(file, audit, passwords);
    const login = (user: string) => accounts.authenticate({ user, password: 'secret', address: '192.0.2.1' });
    expect(await login('first')).toMatchObject({ kind: 'accepted', method: 'password' });
    await writeFile(join(folder, 'new'), account('second'));
    await rename(join(folder, 'new'), file);
    await audit.next('configuration', ({ change }) => change === 'reloaded');
    expect(await login('second')).toMatchObject({ kind: 'accepted' });
    expect(await login('first')).toMatchObject({ kind: 'refused', reason: 'unknown-user' });
    await writeFile(join(folder, 'new'), '{"accounts": [{}]}');
    await rename(join(folder, 'new'), file);
    await audit.next('configuration', ({ change }) => change === 'refused');
    expect(await login('second')).toMatchObject({ kind: 'accepted' });
    await accounts.close();
  });

  it('asks for what an account demands: enabled, certificate', async () => {
    const file = join(folder, 'accounts.json');
    const passwordHash = quickHash('secret');
    const sha256 = 'ab'.repeat(32);
    await writeFile(
      file,
      JSON.stringify({
        accounts: [
          { user: 'off', passwordHash, enabled: false },
          { user: 'both', passwordHash, clientCertificate: 'required', certificates: [{ kind: 'fingerprint', sha256 }] },
          { user: 'cert', clientCertificate: 'instead-of-password', certificates: [{ kind: 'subject', commonName: 'partner' }] },
        ],
      }),
    );
    const accounts = await fileAccounts(file, new AuditRecorder(), passwords);
    const certificate = { sha256, commonName: 'partner', subjectAltNames: [], serialNumber: '1' };
    const other = { ...certificate, sha256: 'cd'.repeat(32), commonName: 'other' };
    const ask = (user: string, given?: typeof certificate) => accounts.authenticate({ user, password: 'secret', certificate: given, address: '192.0.2.1' });
    expect(await ask('off')).toMatchObject({ reason: 'account-disabled' });
    expect(await ask('both')).toMatchObject({ reason: 'certificate-required' });
    expect(await ask('both', other)).toMatchObject({ reason: 'certificate-not-mapped' });
    expect(await ask('both', certificate)).toMatchObject({ kind: 'accepted', method: 'password+certificate' });
    expect(await accounts.authenticateByCertificate({ user: 'cert', certificate, address: '' })).toMatchObject({ kind: 'accepted', method: 'certificate' });
    expect(await accounts.authenticateByCertificate({ user: 'cert', certificate: other, address: '' })).toMatchObject({ kind: 'refused' });
    expect(await accounts.authenticateByCertificate({ user: 'both', certificate, address: '' })).toMatchObject({ kind: 'refused' });
    await accounts.close();
  });
});
