/** No password and no other secret is in anything that the server writes: audit, output, titles, files, core files. */
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashPassword } from '../../../server/identity/password';
import { TestAuthority } from '../../server/support/authority';
import { Namespace } from './namespace';
import { Server } from './server';
import { BASE, SERVICE, SERVICE_PASSWORD, Slapd } from './slapd';

const PASSWORDS = { file: 'Only-in-the-file-9471', directory: 'Only-in-the-directory-2386', wrong: 'Typed-by-mistake-7750' };
const SECRETS = [...Object.values(PASSWORDS), SERVICE_PASSWORD];
let folder: string;
let namespace: Namespace;
let slapd: Slapd;
let server: Server;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-secrets-'));
  namespace = Namespace.create(folder);
  const authority = await TestAuthority.create();
  slapd = await Slapd.create(namespace, folder, await authority.issue(), authority.pem, [{ uid: 'ann', password: PASSWORDS.directory }]);
  writeFileSync(join(folder, 'service-password'), SERVICE_PASSWORD, { mode: 0o600 });
  writeFileSync(join(folder, 'accounts.json'), JSON.stringify({ accounts: [{ user: 'bob', passwordHash: await hashPassword(PASSWORDS.file) }] }));
  server = await Server.start(
    {
      identity: [
        { kind: 'file', file: join(folder, 'accounts.json') },
        {
          kind: 'directory',
          servers: [`ldaps://localhost:${slapd.ldaps}`],
          ca: authority.pem,
          bind: { kind: 'service', dn: SERVICE, passwordFile: join(folder, 'service-password') },
          users: { base: `ou=people,${BASE}` },
          rules: [{ account: {} }],
          cacheSeconds: 60,
        },
      ],
    },
    // Core files may be as large as they like.
    { wrapper: ['prlimit', '--core=unlimited'] },
  );
  expect(await server.login('bob', PASSWORDS.file)).toMatchObject({ code: 230 });
  expect(await server.login('ann', PASSWORDS.directory)).toMatchObject({ code: 230 });
  expect(await server.login('ann', PASSWORDS.wrong)).toMatchObject({ code: 530 });
});

afterEach(async () => {
  await server?.close();
  await slapd?.kill();
  await namespace?.close();
  rmSync(folder, { recursive: true, force: true });
});

it('the audit, the output, the title, the environment and the files of the server hold none', async () => {
  await server.lastLogin('ann');
  const process = ['cmdline', 'comm', 'environ'].map((name) => readFileSync(`/proc/${server.pid}/${name}`, 'utf8')).join('\n');
  const files = readdirSync(server.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
  expect(files).toContain('"event":"login"'); // the audit is among them
  for (const secret of SECRETS) for (const text of [server.written, process, files]) expect(text.includes(secret)).toBe(false);
  expect(server.written).not.toMatch(/\$scrypt\$|BEGIN [A-Z ]*PRIVATE KEY/);
});

it('a core file holds none, though the memory that it leaves out does', async () => {
  const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();
  // Elsewhere a core file goes to a program of the system, and there is none to look into; its filter is the same.
  expect(readFileSync(`/proc/${server.pid}/coredump_filter`, 'utf8').trim()).toBe('00000000');
  if (!/^core(\.%p)?$/.test(pattern)) return;
  await server.end('SIGABRT');
  const core = coreIn(server.folder)!;
  for (const secret of SECRETS) expect(await holds(core, secret)).toBe(false);
});

it('that core file would hold them without the filter', async () => {
  if (!/^core(\.%p)?$/.test(readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim())) return;
  execFileSync('sh', ['-c', `echo 0x33 > /proc/${server.pid}/coredump_filter`]);
  await server.end('SIGABRT');
  expect(await holds(coreIn(server.folder)!, SERVICE_PASSWORD)).toBe(true);
});

function coreIn(place: string): string | undefined {
  const name = readdirSync(place).find((one) => /^core(\.\d+)?$/.test(one));
  return name !== undefined && existsSync(join(place, name)) ? join(place, name) : undefined;
}

/** Whether a large file holds a text, also where it lies across two chunks. */
async function holds(file: string, text: string): Promise<boolean> {
  let before = '';
  for await (const chunk of createReadStream(file, { encoding: 'latin1', highWaterMark: 4 * 1024 * 1024 })) {
    if ((before + chunk).includes(text)) return true;
    before = (chunk as string).slice(-text.length);
  }
  return false;
}
