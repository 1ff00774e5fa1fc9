import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '../../../bin/doctor/finding';
import { TestAuthority } from '../../server/support/authority';
import { BUNDLE, run, type ServedProcess, serveProcess, USER } from '../support/served';

let folder: string;
let authority: TestAuthority;
const started: ChildProcess[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-doctor-'));
  authority = await TestAuthority.create();
  writeFileSync(join(folder, 'ca.pem'), authority.pem);
  writeFileSync(join(folder, 'password'), 'anyone@example.com\n');
});

afterAll(async () => {
  for (const process of started) {
    const exited = once(process, 'exit');
    process.kill('SIGTERM');
    await exited;
  }
  rmSync(folder, { recursive: true, force: true });
});

async function doctor(...args: string[]): Promise<{ code: number; findings: Finding[] }> {
  const { code, output } = await run(process.execPath, [BUNDLE, 'doctor', 'localhost', '--json', '--timeout', '20', ...args]);
  if (!output.startsWith('{')) throw new Error(output);
  return { code, findings: JSON.parse(output).findings };
}

const found = (findings: readonly Finding[], level: Finding['level']) =>
  findings.filter((one) => one.level === level).map(({ check, text }) => `${check}: ${text}`);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** vsftpd on loopback with anonymous logins over TLS; its port. */
async function vsftpd(name: string, settings: Record<string, string>, until = 90): Promise<number> {
  const { certificate, key } = await authority.issue({ rsa: true, from: -30, until });
  const file = (suffix: string) => join(folder, `${name}.${suffix}`);
  writeFileSync(file('pem'), certificate);
  writeFileSync(file('key'), key, { mode: 0o600 });
  const root = file('root');
  const empty = file('empty');
  for (const one of [root, empty]) mkdirSync(one);
  for (const one of [folder, root, empty]) chmodSync(one, 0o755);
  const port = await freePort();
  const all = {
    listen: 'YES',
    listen_address: '127.0.0.1',
    listen_port: String(port),
    background: 'NO',
    anonymous_enable: 'YES',
    local_enable: 'NO',
    no_anon_password: 'NO',
    anon_root: root,
    secure_chroot_dir: empty,
    seccomp_sandbox: 'NO',
    ssl_enable: 'YES',
    allow_anon_ssl: 'YES',
    force_anon_logins_ssl: 'YES',
    force_anon_data_ssl: 'YES',
    rsa_cert_file: file('pem'),
    rsa_private_key_file: file('key'),
    ...settings,
  };
  writeFileSync(
    file('conf'),
    Object.entries(all)
      .map(([setting, value]) => `${setting}=${value}\n`)
      .join(''),
  );
  started.push(spawn('vsftpd', [file('conf')], { stdio: ['ignore', 'inherit', 'inherit'] }));
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    if (
      await new Promise((resolve) =>
        socket
          .once('connect', () => resolve(true))
          .once('error', () => resolve(false))
          .once('close', () => resolve(false)),
      )
    ) {
      socket.destroy();
      return port;
    }
    if (started.at(-1)!.exitCode !== null) throw new Error('vsftpd ended');
  }
}

const anonymous = (port: number) => [
  '--explicit-port',
  String(port),
  '--implicit-port',
  '0',
  '--ca',
  join(folder, 'ca.pem'),
  '--user',
  'anonymous',
  '--password-file',
  join(folder, 'password'),
];

describe('ftps doctor', () => {
  it('has nothing to say against this server, in both modes, and has looked at everything', async () => {
    const server: ServedProcess = await serveProcess();
    const { code, findings } = await doctor(
      '--explicit-port',
      String(server.explicit),
      '--implicit-port',
      String(server.implicit),
      '--ca',
      server.ca,
      '--user',
      USER,
      '--password-file',
      join(server.folder, 'password'),
    );
    expect(await server.stop()).toBe(0);
    expect(found(findings, 'problem')).toEqual([]);
    expect(found(findings, 'warning')).toEqual([]);
    expect(code).toBe(0);
    const checks = findings.map(({ check }) => check);
    for (const check of ['dns', 'explicit', 'implicit', 'plain-text', 'tls', 'certificate', 'login', 'epsv', 'pasv', 'round-trip', 'data-session', 'clock'])
      expect(checks).toContain(check);
  });

  it('names the wrong address that vsftpd gives behind its NAT', async () => {
    const port = await vsftpd('wrong-address', { pasv_address: '10.1.2.3' });
    const { code, findings } = await doctor(...anonymous(port));
    expect(found(findings, 'problem')).toEqual([expect.stringMatching(/^pasv: PASV gives 10\.1\.2\.3, but the control connection goes to 127\.0\.0\.1/)]);
    expect(code).toBe(3);
  });

  it('names the certificate of vsftpd that has expired', async () => {
    const port = await vsftpd('expired', {}, -2);
    const { code, findings } = await doctor(...anonymous(port));
    expect(found(findings, 'problem')).toEqual([expect.stringMatching(/^certificate: the certificate expired on /)]);
    expect(code).toBe(3);
  });

  it('names plain text, a wrong name and an unknown authority', async () => {
    const port = await vsftpd('careless', { force_anon_logins_ssl: 'NO', local_enable: 'YES', force_local_logins_ssl: 'NO' });
    const { findings } = await doctor('--explicit-port', String(port), '--implicit-port', '0', '--name', 'other.example.com');
    expect(found(findings, 'problem').map((text) => text.split(' ').slice(0, 4).join(' '))).toEqual([
      'plain-text: a login without',
      'certificate: the certificate does',
      'certificate: the chain of',
    ]);
  });

  it('says which port can not be reached', async () => {
    const { code, findings } = await doctor('--explicit-port', String(await freePort()), '--implicit-port', '0');
    expect(found(findings, 'problem')).toEqual([expect.stringMatching(/^explicit: port \d+ can't be reached/)]);
    expect(code).toBe(3);
  });
});
