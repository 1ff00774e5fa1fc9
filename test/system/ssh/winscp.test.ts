/** What WinSCP does, request by request, for it runs on Windows alone: uploads by way of `.filepart`, going on with one, and its SCP mode. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, type SFTPWrapper } from 'ssh2';
import { PASSWORD, USER } from '../support/served';
import { type SshServed, sshServed, told } from './served';

const WRITE = 2;
const CREATE = 8;
const TRUNCATE = 16;

let served: SshServed;
let client: Client;
let sftp: SFTPWrapper;
beforeAll(async () => {
  served = await sshServed();
  client = new Client();
  // It is asked for the password as keyboard-interactive, where that is offered.
  client.on('keyboard-interactive', (_name, _instructions, _language, _prompts, finish) => finish([PASSWORD]));
  client.connect({ host: '127.0.0.1', port: served.place.port, username: USER, tryKeyboard: true, authHandler: ['none', 'keyboard-interactive'] });
  await new Promise((resolve, reject) => client.once('ready', resolve as () => void).once('error', reject));
  sftp = (await promisify(client.sftp.bind(client) as (done: (error: Error | undefined, sftp: SFTPWrapper) => void) => void)()) as unknown as SFTPWrapper;
});
afterAll(async () => {
  client?.end();
  await served?.stop();
});

const call = <Result = unknown>(name: keyof SFTPWrapper & string, ...args: readonly unknown[]) =>
  (promisify((sftp[name] as (...all: unknown[]) => void).bind(sftp)) as (...all: readonly unknown[]) => Promise<Result>)(...args);
const missing = (path: string) => expect(call('lstat', path)).rejects.toMatchObject({ code: 2 });

/** Writes from there on, several requests ahead, as it does. */
async function write(handle: Buffer, bytes: Buffer, from: number): Promise<void> {
  const PIECE = 32_720;
  const pieces = Array.from({ length: Math.ceil((bytes.length - from) / PIECE) }, (_none, index) => from + index * PIECE);
  await Promise.all(pieces.map((at) => call('write', handle, bytes, at, Math.min(PIECE, bytes.length - at), at)));
}

/** The end of an upload: what was there is removed, the part takes its name, times and permissions follow. */
async function putIntoPlace(part: string, target: string, isThere: boolean): Promise<void> {
  if (isThere) await call('unlink', target);
  await call('rename', part, target);
  await call('setstat', target, { mode: 0o644, atime: 1_700_000_000, mtime: 1_700_000_000 });
}

it('it starts by asking where it is, and lists', async () => {
  expect(await call('realpath', '.')).toBe('/');
  const handle = await call('opendir', '/');
  await call('readdir', handle).catch((error) => expect(error.code).toBe(1)); // the end, at once
  await call('close', handle);
});

it('an upload goes to .filepart, whole, and over a file that is there', async () => {
  const target = '/report.bin';
  for (const isThere of [false, true]) {
    const bytes = randomBytes(500_000);
    if (isThere) expect(await call('lstat', target)).toBeDefined();
    else await missing(target);
    await missing(`${target}.filepart`);
    const handle = await call<Buffer>('open', `${target}.filepart`, WRITE | CREATE | TRUNCATE, { mode: 0o644 });
    await write(handle, bytes, 0);
    await call('close', handle);
    await putIntoPlace(`${target}.filepart`, target, isThere);
    expect(readFileSync(join(served.server.files, target)).equals(bytes)).toBe(true);
    expect(statSync(join(served.server.files, target)).mtimeMs).toBe(1_700_000_000_000);
    expect(existsSync(join(served.server.files, `${target}.filepart`))).toBe(false);
  }
});

it('it goes on with a .filepart that was left: it is opened without being cut, and written from its end', async () => {
  const bytes = randomBytes(600_000);
  writeFileSync(join(served.server.files, 'again.bin.filepart'), bytes.subarray(0, 250_000));
  const { size } = await call<{ size: number }>('lstat', '/again.bin.filepart');
  expect(size).toBe(250_000);
  const handle = await call<Buffer>('open', '/again.bin.filepart', WRITE);
  await write(handle, bytes, size);
  await call('close', handle);
  await putIntoPlace('/again.bin.filepart', '/again.bin', false);
  expect(readFileSync(join(served.server.files, 'again.bin')).equals(bytes)).toBe(true);
});

it('its SCP mode, which is a shell, is refused, and the audit says what was asked for', async () => {
  const shell = promisify(client.shell.bind(client) as (terminal: false, done: (error?: Error) => void) => void)(false);
  await expect(shell).rejects.toThrow(/Unable to/);
  for (const command of ['echo "WinSCP: this is end-of-file:$?"', 'ls -la', 'scp -r -p -d -t "/"'])
    await expect(promisify(client.exec.bind(client) as (line: string, done: (error?: Error) => void) => void)(command)).rejects.toThrow(/Unable to/);
  await told(() => served.server.audit().filter((line) => JSON.stringify(line).includes('not-offered')).length >= 4);
  // The connection goes on, and so does SFTP.
  expect(await call('realpath', '.')).toBe('/');
  expect(readdirSync(served.server.files).sort()).toEqual(expect.arrayContaining(['again.bin', 'report.bin']));
});
