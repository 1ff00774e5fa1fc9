import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { userCommand } from '../../bin/commands/user';
import { publicKeyBlob } from '../../server/ssh/public-key';
import { runCommand } from './run-command';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-keys-'));
  file = join(folder, 'accounts.json');
  writeFileSync(file, JSON.stringify({ accounts: [{ user: 'ann', passwordHash: '$scrypt$ln=4,r=8,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }] }));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const pair = () => generateKeyPairSync('ed25519');
const lineOf = ({ publicKey }: ReturnType<typeof pair>, comment: string) => `ssh-ed25519 ${publicKeyBlob(publicKey).toString('base64')} ${comment}`;

const run = (...args: string[]) => runCommand(userCommand(), args);
const keys = (): string[] => JSON.parse(readFileSync(file, 'utf8')).accounts[0].publicKeys;

it('keys are added from a file or a line, listed by their fingerprints, and taken away', async () => {
  const [one, two] = [lineOf(pair(), 'ann@laptop'), lineOf(pair(), 'ann@home')];
  writeFileSync(join(folder, 'one.pub'), `${one}\n`);
  expect((await run('key', 'add', 'ann', join(folder, 'one.pub'), '--file', file)).output).toMatch(/^ann may log in with SHA256:[A-Za-z0-9+/]{43}, in /);
  await run('key', 'add', 'ann', two, '--file', file);
  expect(keys()).toEqual([one, two]);
  const { output } = await run('key', 'list', 'ann', '--file', file);
  expect(output).toMatch(/^SHA256:\S+ {2}ssh-ed25519 {2}ann@laptop\nSHA256:\S+ {2}ssh-ed25519 {2}ann@home\n$/);
  await run('key', 'remove', 'ann', output.slice(0, 50).split(' ')[0]!, '--file', file);
  expect(keys()).toEqual([two]);
});

it('what is no public key, there already or not there is refused with words that help', async () => {
  const own = pair();
  writeFileSync(join(folder, 'private'), own.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  expect((await run('key', 'add', 'ann', join(folder, 'private'), '--file', file)).output).toContain('is a private key');
  expect((await run('key', 'add', 'ann', join(folder, 'missing.pub'), '--file', file)).output).toContain("can't be read");
  expect((await run('key', 'add', 'bob', lineOf(own, 'x'), '--file', file)).output).toContain('bob is not in');
  await run('key', 'add', 'ann', lineOf(own, 'x'), '--file', file);
  expect((await run('key', 'add', 'ann', lineOf(own, 'y'), '--file', file)).output).toContain('has that key already');
  expect((await run('key', 'remove', 'ann', 'SHA256:none', '--file', file)).output).toContain('no such key');
});
