/** Names, commands and accounts that are written for the terminal of whoever reads the audit. */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, type ConnectConfig, type SFTPWrapper } from 'ssh2';
import { BUNDLE, PASSWORD, USER } from '../support/served';
import { program } from './clients';
import { type SshServed, sshServed, told } from './served';

/** Clears the screen, sets the title, begins a line of its own, turns the reading direction. */
const HOSTILE = '\u001b[2J\u001b]0;owned\u0007\r\n00:00:00  192.0.2.1  root  login succeeded\u202e\u2028\u009b31m';
/** What of it a name of a file may have: neither C0 controls nor a slash. */
const HOSTILE_NAME = 'report\u202efdp.exe\u2028\u009b31m';
/** What no terminal should get, but for line ends. */
const unfit = /[^\P{Cc}\n]|[\p{Bidi_Control}\p{Zl}\p{Zp}]/u;

let served: SshServed;
beforeAll(async () => {
  served = await sshServed({ scp: true });
});
afterAll(() => served?.stop());

async function connected(options: ConnectConfig = {}): Promise<Client> {
  const client = new Client();
  client.on('error', () => {});
  client.connect({ host: '127.0.0.1', port: served.place.port, username: USER, password: PASSWORD, ...options });
  await new Promise<void>((resolve, reject) => client.once('ready', resolve).once('close', () => reject(new Error('not let in'))));
  return client;
}

it('audit and ftps audit show have them as letters, each on the line of what was done', async () => {
  await expect(connected({ username: HOSTILE, password: 'x' })).rejects.toThrow('not let in');
  const client = await connected();
  const answered = (ask: (done: () => void) => void) => new Promise<void>(ask);
  for (const command of [HOSTILE, `scp -t '${HOSTILE}'`]) await answered((done) => client.exec(command, () => done()));
  await answered((done) => client.subsys(HOSTILE, () => done()));
  await answered((done) => client.forwardOut(HOSTILE, 1, HOSTILE, 1, () => done()));
  const sftp = await promisify(client.sftp.bind(client) as (done: (error: Error | undefined, sftp: SFTPWrapper) => void) => void)();
  const wrapper = sftp as unknown as SFTPWrapper;
  const call = (name: 'unlink' | 'rmdir' | 'mkdir' | 'open' | 'rename' | 'opendir', ...args: readonly unknown[]) =>
    (promisify((wrapper[name] as (...all: unknown[]) => void).bind(wrapper)) as (...all: readonly unknown[]) => Promise<unknown>)(...args).catch(
      () => undefined,
    );
  await call('unlink', `/${HOSTILE}`);
  await call('mkdir', `/${HOSTILE}`);
  await call('open', `/${HOSTILE}`, 'r');
  await call('mkdir', `/${HOSTILE_NAME}`);
  await call('rename', `/${HOSTILE_NAME}`, `/${HOSTILE_NAME}2`);
  await call('unlink', `/none${HOSTILE_NAME}`);
  writeFileSync(join(served.server.files, `up${HOSTILE_NAME}`), 'there');
  await new Promise<void>((resolve, reject) =>
    wrapper.fastGet(`/up${HOSTILE_NAME}`, join(served.place.folder, 'down'), (error) => (error ? reject(error) : resolve())),
  );
  client.end();
  await once(client, 'close');

  const { auditFile, audit } = served.server;
  // All of it is there: names with what they hold, and what was asked for that is not given.
  await told(() => audit().some((line) => 'file' in line && line.file?.path === `/up${HOSTILE_NAME}`));
  const raw = readFileSync(auditFile, 'utf8');
  expect(unfit.exec(raw)).toBeNull();
  const lines = raw.split('\n').filter(Boolean);
  expect(raw).toContain('not-offered');
  // What has been read, and no line that comes meanwhile.
  const seen = join(served.place.folder, 'seen.json');
  writeFileSync(seen, raw);
  const shown = await program(process.execPath, [BUNDLE, 'audit', 'show', seen]);
  expect(unfit.exec(shown)).toBeNull();
  expect(shown.split('\n').filter(Boolean)).toHaveLength(lines.length);
  expect(shown).toContain('\\u202e');
  expect(shown).not.toMatch(/^00:00:00 {2}192\.0\.2\.1/m);
});
