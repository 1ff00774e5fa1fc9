import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tokenCommand } from '../../bin/commands/token';
import { digestOf, readToken } from '../../server/identity/token';
import { runCommand } from './run-command';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-tokens-'));
  file = join(folder, 'accounts.json');
  writeFileSync(file, JSON.stringify({ accounts: [{ user: 'ann', passwordHash: '$scrypt$ln=4,r=8,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }] }));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]) => runCommand(tokenCommand(), [...args, '--file', file]);
const tokens = () => JSON.parse(readFileSync(file, 'utf8')).accounts[0].tokens;

it('a token is shown once, kept as a digest, listed without it, and revoked', async () => {
  const { output } = await run(
    'create',
    'ann',
    '--name',
    'nightly',
    '--scope',
    'read',
    'write',
    '--folder',
    '/out',
    '--network',
    '192.0.2.0/24',
    '--days',
    '2',
  );
  const [text = '', told] = output.split('\n');
  expect(text).toMatch(/^ftps_YW5u\.[a-z2-7]{8}\.[\w-]{43}$/);
  const token = readToken(text)!;
  expect(told).toContain(`ann has a token ${token.id}, good until `);
  expect(tokens()).toEqual([
    expect.objectContaining({
      id: token.id,
      name: 'nightly',
      sha256: digestOf(token.secret),
      scopes: ['read', 'write'],
      folder: '/out',
      networks: ['192.0.2.0/24'],
    }),
  ]);
  expect(Date.parse(tokens()[0].expires) - Date.parse(tokens()[0].created)).toBe(2 * 86_400_000);
  expect(readFileSync(file, 'utf8')).not.toContain(token.secret);
  const listed = await run('list', 'ann');
  expect(listed.output).toMatch(new RegExp(`^${token.id}  nightly  \\(read and write; in /out; from 192\\.0\\.2\\.0/24; until \\d{4}-\\d\\d-\\d\\d\\)\\n$`));
  expect((await run('list', 'ann', '--json')).output).not.toContain('sha256');
  await run('revoke', 'ann', token.id);
  expect(tokens()).toEqual([]);
});

it('without more it reads, everywhere, for 90 days; or never expires', async () => {
  await run('create', 'ann', '--name', 'one');
  await run('create', 'ann', '--name', 'two', '--never-expires');
  expect(tokens()[0]).toMatchObject({ scopes: ['read'], folder: '/' });
  expect(tokens()[1].expires).toBeUndefined();
  expect((await run('list', 'ann')).output).toContain('two  (read; does not expire)');
});

it('what is wrong is said in words that help', async () => {
  expect((await run('create', 'bob', '--name', 'x')).output).toContain('bob is not in');
  expect((await run('create', 'ann', '--name', 'x', '--days', '0')).output).toContain('is no number of days');
  expect((await run('create', 'ann', '--name', 'x', '--folder', '/a/../b')).output).toContain('without `.` and `..`');
  expect((await run('revoke', 'ann', 'none')).output).toContain('ann has no token none');
});
