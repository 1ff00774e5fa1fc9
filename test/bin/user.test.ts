import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { exitCodeOf, explain } from '../../bin/commands/exit';
import { userCommand } from '../../bin/commands/user';
import { fileStore } from '../../bin/commands/user-file-store';
import { csvRows, readImport } from '../../bin/commands/user-import';
import { generatePassword } from '../../bin/commands/user-passwords';
import { ConfigError } from '../../server/config';
import { passwordProblems } from '../../server/identity/password-rules';
import { verifyPassword } from '../server/support/passwords';

const HASH = '$scrypt$ln=4,r=8,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-user-'));
  file = join(folder, 'accounts.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

jest.mock('../../bin/commands/read-password', () => ({ readPassword: async () => 'good enough p4ss' }));

/** The command within this process. */
async function run(...args: string[]) {
  let stderr = '';
  const write = jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += text;
    return true;
  });
  try {
    await userCommand().parseAsync(args, { from: 'user' });
    return { status: 0, stderr };
  } catch (error) {
    return { status: exitCodeOf(error), stderr: explain(error) };
  } finally {
    write.mockRestore();
  }
}

/** The built command, as an operator runs it. */
function ftps(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(__dirname, '../../dist/image/ftps.js'), 'user', ...args], { input, encoding: 'utf8' });
  return { status, stdout, stderr };
}

const accounts = () => JSON.parse(readFileSync(file, 'utf8')).accounts;

it('an account is added, listed, given another password, disabled and removed, without its password on any output', async () => {
  const added = ftps(['add', 'ann', '--file', file, '--permissions', 'read,list', '--network', '192.0.2.0/24'], 'the first p4ssword\n');
  expect(added).toMatchObject({ status: 0, stdout: '', stderr: `ann was added to ${file}\n` });
  expect(accounts()).toMatchObject([{ user: 'ann', home: '/ann', permissions: ['read', 'list'], allowedNetworks: ['192.0.2.0/24'] }]);
  expect(await verifyPassword('the first p4ssword', accounts()[0].passwordHash)).toBe(true);
  expect(statSync(file).mode & 0o777).toBe(0o640);

  const generated = ftps(['passwd', 'ann', '--file', file, '--generate']);
  expect(generated.stdout).toMatch(/^[A-Za-z0-9]{24}\n$/);
  expect(await verifyPassword(generated.stdout.trim(), accounts()[0].passwordHash)).toBe(true);

  expect(ftps(['disable', 'ann', '--file', file]).status).toBe(0);
  const { stdout } = ftps(['list', '--file', file]);
  expect(stdout).toMatch(/^ann +\/ann +read,list {2}\(disabled; from 192\.0\.2\.0\/24\)\n$/);
  expect(stdout).not.toContain('scrypt');

  expect(ftps(['remove', 'ann', '--file', file]).status).toBe(0);
  expect(accounts()).toEqual([]);
});

it.each([
  [['add', 'ann'], 'say where the accounts are', 2],
  [['add', 'ann', '--file', 'FILE', '--permissions', 'fly'], 'accounts[0].permissions[0]', 2],
  [['add', 'a b', '--file', 'FILE'], 'accounts[0].user', 2],
  [['passwd', 'nobody', '--file', 'FILE'], 'nobody is not in', 2],
  [['add', 'ann', '--file', 'FILE', '--certificate-alone'], '--certificate-alone needs', 2],
  [['import', '--file', 'FILE'], 'say what to import', 2],
] as const)('%j is refused in words', async (args, words, status) => {
  const answer = await run(...args.map((one) => (one === 'FILE' ? file : one)));
  expect(answer.stderr).toContain(words);
  expect(answer.status).toBe(status);
});

describe('passwords', () => {
  it.each([
    ['short1', 'it has 6 characters; 12 are needed'],
    ['onlylettershere', 'it needs both letters and digits'],
    ['xx-annabell-1234', 'it has the name of the account in it'],
    ['a1a1a1a1a1a1a1', 'it repeats too few different characters'],
    [' starts with 1 blank', 'it begins or ends with a blank, which people and clients lose'],
    ['with\ttab 12345678', 'it has a control character, which no FTP client can send'],
  ])('%j: %s', (password, problem) => expect(passwordProblems(password, 'Annabell')).toEqual([problem]));

  it('that are generated keep the rules', () => {
    for (let count = 0; count < 200; count += 1) expect(passwordProblems(generatePassword(), 'annabell')).toEqual([]);
  });
});

describe('the accounts file', () => {
  it('keeps what others wrote in it, and its mode', async () => {
    writeFileSync(file, JSON.stringify({ accounts: [{ user: 'bob', passwordHash: HASH, quota: { files: 3 } }] }), { mode: 0o600 });
    await fileStore(file).put([{ user: 'ann', passwordHash: HASH }]);
    expect(accounts()).toEqual([
      { user: 'bob', passwordHash: HASH, quota: { files: 3 } },
      { user: 'ann', passwordHash: HASH },
    ]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is left as it was where an account is wrong, or where another command is at it', async () => {
    await fileStore(file).put([{ user: 'ann', passwordHash: HASH }]);
    const before = readFileSync(file, 'utf8');
    await expect(fileStore(file).put([{ user: 'bob', passwordHash: 'plain' }])).rejects.toThrow(ConfigError);
    writeFileSync(`${file}.lock`, '');
    await expect(fileStore(file).put([{ user: 'bob', passwordHash: HASH }])).rejects.toThrow('is being changed by another command');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });
});

describe('an import', () => {
  it('takes CSV with quotes, and hashes what is a password', async () => {
    const input = join(folder, 'partners.csv');
    writeFileSync(input, '\uFEFFuser,password,home,permissions\r\nann,"a long ""p4ssword"", with comma",/a,read;list\r\nbob,another p4ssword,,\r\n');
    const imported = await run('import', input, '--file', file);
    expect(imported).toMatchObject({ status: 0, stderr: `2 accounts were written to ${file}\n` });
    expect(accounts()).toMatchObject([{ user: 'ann', home: '/a', permissions: ['read', 'list'] }, { user: 'bob' }]);
    expect(await verifyPassword('a long "p4ssword", with comma', accounts()[0].passwordHash)).toBe(true);
    expect(readFileSync(file, 'utf8')).not.toContain('p4ssword');

    const again = await run('import', input, '--file', file);
    expect(again.stderr).toContain('ann, bob: there already');
    writeFileSync(input, 'user,password\ncarl,weak\n');
    const weak = await run('import', input, '--file', file);
    expect(weak.stderr).toContain('carl: it has 4 characters; 12 are needed');
    expect(weak.stderr).not.toContain('weak\n');
    expect(accounts()).toHaveLength(2);
    expect((await run('import', input, '--file', file, '--accept-weak')).status).toBe(0);
    expect(accounts()).toHaveLength(3);
  });

  it('names the row that is wrong and never quotes it', async () => {
    const input = join(folder, 'partners.csv');
    writeFileSync(input, 'user,password\nann,secret,more\n');
    await expect(readImport(input)).rejects.toThrow(/row 2: has 3 fields where the first line names 2$/);
    writeFileSync(input, 'name,password\nann,secret\n');
    await expect(readImport(input)).rejects.toThrow('its first line must name columns');
    writeFileSync(input, 'user,password,quota\nann,secret,1\n');
    await expect(readImport(input)).rejects.toThrow('"quota" in its first line is no column');
    writeFileSync(input, 'user,enabled,enabled\nann,false,true\n');
    await expect(readImport(input)).rejects.toThrow('names enabled twice');
    writeFileSync(input, '{"accounts": [], "allowedNetworks": ["192.0.2.0/24"]}');
    await expect(readImport(input)).rejects.toThrow('allowedNetworks: is no key of an accounts file');
    writeFileSync(input, '{"accounts": secret');
    await expect(readImport(input)).rejects.toThrow(/is no JSON$/);
  });

  it('takes an account for enabled only where that is what it says', async () => {
    const input = join(folder, 'enabled.csv');
    writeFileSync(input, 'user,enabled\na,true\nb, no \nc,disabled\nd,\n');
    expect(await readImport(input)).toEqual([{ user: 'a', enabled: true }, { user: 'b', enabled: false }, { user: 'c', enabled: 'disabled' }, { user: 'd' }]);
  });

  it('reads any CSV back as it was written', () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', ' ', 'ö') });
    fc.assert(
      fc.property(fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 4 }), (rows) => {
        const text = rows.map((row) => row.map((one) => `"${one.replaceAll('"', '""')}"`).join(',')).join('\r\n');
        expect(csvRows(text)).toEqual(rows);
        expect(csvRows(`${text}\r\n`)).toEqual(rows);
      }),
    );
  });
});
