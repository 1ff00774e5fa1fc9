import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '../../../bin/doctor/finding';
import { COLUMNS, settled, terminal } from '../../../tools/pictures/terminal';
import { TestAuthority } from '../../server/support/authority';
import { freePort } from '../../server/support/free-port';
import { expectPicture } from '../support/pictures';
import { BUNDLE, PASSWORD, type Ran, run, type ServedProcess, serveProcess, USER } from '../support/served';

let folder: string;
let authority: TestAuthority;
const started: ChildProcess[] = [];
/** A network of its own, in which every port is free, and no address but loopback leads anywhere. */
const namespace = `ftps-doctor-${process.pid}`;
const inNamespace = ['netns', 'exec', namespace] as const;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-doctor-'));
  authority = await TestAuthority.create();
  execFileSync('ip', ['netns', 'add', namespace]);
  execFileSync('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
  writeFileSync(join(folder, 'ca.pem'), authority.pem);
  writeFileSync(join(folder, 'password'), 'anyone@example.com\n');
});

afterAll(async () => {
  for (const process of started) {
    if (process.exitCode !== null) continue;
    const exited = once(process, 'exit');
    process.kill('SIGTERM');
    await exited;
  }
  execFileSync('ip', ['netns', 'del', namespace]);
  rmSync(folder, { recursive: true, force: true });
});

const examining = [BUNDLE, 'doctor', 'localhost', '--json', '--timeout', '20'];

async function doctor(...args: string[]): Promise<{ code: number; findings: Finding[] }> {
  return findingsOf(await run(process.execPath, [...examining, ...args]));
}

async function doctorInNamespace(...args: string[]): Promise<{ code: number; findings: Finding[] }> {
  return findingsOf(await run('ip', [...inNamespace, process.execPath, ...examining, ...args]));
}

function findingsOf({ code, output }: Ran): { code: number; findings: Finding[] } {
  if (!output.startsWith('{')) throw new Error(output);
  return { code, findings: JSON.parse(output).findings };
}

const found = (findings: readonly Finding[], level: Finding['level']) =>
  findings.filter((one) => one.level === level).map(({ check, text }) => `${check}: ${text}`);

/** vsftpd on loopback with anonymous logins over TLS; its port. */
async function vsftpd(name: string, settings: Record<string, string>, { until = 90, namespaced = false, names = ['localhost'] } = {}): Promise<number> {
  const { certificate, key } = await authority.issue({ rsa: true, from: -30, until, names });
  const file = (suffix: string) => join(folder, `${name}.${suffix}`);
  writeFileSync(file('pem'), certificate);
  writeFileSync(file('key'), key, { mode: 0o600 });
  const root = file('root');
  const empty = file('empty');
  for (const one of [root, empty]) mkdirSync(one);
  for (const one of [folder, root, empty]) chmodSync(one, 0o755);
  const port = Number(settings['listen_port'] ?? (namespaced ? 2121 : await freePort()));
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
  const [program, args] = namespaced ? ['ip', [...inNamespace, 'vsftpd', file('conf')]] : ['vsftpd', [file('conf')]];
  const daemon = spawn(program as string, args as string[], { stdio: ['ignore', 'inherit', 'inherit'] });
  started.push(daemon);
  await listening(port, daemon, namespaced, all.listen_address);
  return port;
}

/** Waits until a program listens. */
async function listening(port: number, daemon: ChildProcess, namespaced: boolean, address = '127.0.0.1'): Promise<void> {
  while (daemon.exitCode === null) {
    const probe = `require('net').connect(${port}, '${address}').on('connect', () => process.exit(0)).on('error', () => process.exit(1))`;
    const { code } = namespaced ? await run('ip', [...inNamespace, process.execPath, '-e', probe]) : await run(process.execPath, ['-e', probe]);
    if (code === 0) return;
  }
  throw new Error(`${daemon.spawnfile} ended`);
}

/** Runs this program's text in the namespace until the tests end; waits for its port. */
async function inNamespaceListening(port: number, ...args: string[]): Promise<ChildProcess> {
  const daemon = spawn('ip', [...inNamespace, process.execPath, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
  started.push(daemon);
  await listening(port, daemon, true);
  return daemon;
}

async function ends(daemon: ChildProcess): Promise<void> {
  const exited = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  await exited;
  started.splice(started.indexOf(daemon), 1);
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
    for (const check of [
      'dns',
      'explicit',
      'implicit',
      'plain-text',
      'tls',
      'certificate',
      'login',
      'epsv',
      'pasv',
      'round-trip',
      'data-session',
      'data-stranger',
      'clock',
    ])
      expect(checks).toContain(check);
  });

  it('names the wrong address that vsftpd gives behind its NAT, and that nobody can be reached there', async () => {
    const port = await vsftpd('wrong-address', { pasv_address: '10.1.2.3' }, { namespaced: true });
    const { code, findings } = await doctorInNamespace(...anonymous(port));
    expect(found(findings, 'problem')).toEqual([
      expect.stringMatching(/^pasv: PASV gives 10\.1\.2\.3, but the control connection goes to 127\.0\.0\.1; port \d+ there can't be reached \(.*ENETUNREACH/),
    ]);
    expect(code).toBe(3);
    await ends(started.at(-1)!);
  });

  describe('asked about the passive range', () => {
    const range = (ports: string) => doctorInNamespace(...partner(), '--passive-ports', ports);
    const partner = () => [
      '--explicit-port',
      '2121',
      '--implicit-port',
      '2990',
      '--ca',
      join(folder, 'state/ca.pem'),
      '--user',
      USER,
      '--password-file',
      join(folder, 'secret'),
    ];
    let server: ChildProcess;
    beforeAll(async () => {
      writeFileSync(join(folder, 'secret'), `${PASSWORD}\n`);
      server = await inNamespaceListening(
        2121,
        BUNDLE,
        'serve',
        '--user',
        USER,
        '--password-file',
        join(folder, 'secret'),
        '--state',
        join(folder, 'state'),
        '--passive-ports',
        '50000-50003',
        '--audit',
        join(folder, 'audit'),
      );
    });
    afterAll(() => ends(server));

    it('finds it restricted where it is', async () => {
      const { code, findings } = await range('50000-50003');
      expect(found(findings, 'problem')).toEqual([]);
      expect(found(findings, 'ok')).toContain('passive-range: the ports beside 50000-50003 are closed (49998, 49999, 50004, 50005)');
      expect(code).toBe(0);
    });

    it('finds a port beside it that is open', async () => {
      const other = await inNamespaceListening(50_005, '-e', "require('net').createServer().listen(50005, '127.0.0.1')");
      const { code, findings } = await range('50000-50003');
      await ends(other);
      expect(found(findings, 'problem')).toEqual(['passive-range: port 50005 beside 50000-50003 is open']);
      expect(code).toBe(3);
    });

    it('finds a server whose range is wider than the one that is meant', async () => {
      const { findings } = await range('50000-50001');
      expect(found(findings, 'problem')[0]).toBe('passive-range: port 50002, 50003 beside 50000-50001 is open');
    });

    it('finds a server that gives ports outside of it', async () => {
      const { findings } = await range('40000-40003');
      expect(found(findings, 'problem')).toEqual([expect.stringMatching(/^passive-range: port 5000\d, 5000\d, .* was given, outside of 40000-40003/)]);
    });
  });

  it('warns of an address in PASV that is another one, though it can be reached', async () => {
    const { certificate, key } = await authority.issue();
    for (const [name, content] of Object.entries({ certificate, key, secret: `${PASSWORD}\n` })) writeFileSync(join(folder, `other.${name}`), content);
    const files = join(folder, 'other.files');
    mkdirSync(files);
    const { output } = await run(process.execPath, [BUNDLE, 'user', 'hash'], `${PASSWORD}\n`);
    writeFileSync(join(folder, 'other.accounts'), JSON.stringify({ accounts: [{ user: USER, passwordHash: output.trim(), home: '/' }] }));
    writeFileSync(
      join(folder, 'other.json'),
      JSON.stringify({
        listeners: [{ mode: 'explicit', host: '0.0.0.0', port: 2122, advertisedAddress: '127.0.0.2' }],
        passive: { ports: '50010-50013' },
        tls: { certificates: [{ kind: 'file', certificate: join(folder, 'other.certificate'), key: join(folder, 'other.key') }] },
        storage: { kind: 'local', root: files },
        identity: [{ kind: 'file', file: join(folder, 'other.accounts') }],
        audit: { destination: join(folder, 'other.audit') },
      }),
    );
    const server = await inNamespaceListening(2122, BUNDLE, 'serve', '--config', join(folder, 'other.json'));
    const { code, findings } = await doctorInNamespace(
      '--explicit-port',
      '2122',
      '--implicit-port',
      '0',
      '--ca',
      join(folder, 'ca.pem'),
      '--user',
      USER,
      '--password-file',
      join(folder, 'other.secret'),
    );
    await ends(server);
    expect(found(findings, 'problem')).toEqual([]);
    expect(found(findings, 'warning')).toEqual([
      expect.stringMatching(/^pasv: PASV gives 127\.0\.0\.2, but the control connection goes to 127\.0\.0\.1; it can be reached from here, but many clients/),
    ]);
    expect(code).toBe(0);
  });

  it('names the certificate of vsftpd that has expired', async () => {
    const port = await vsftpd('expired', {}, { until: -2 });
    const { code, findings } = await doctor(...anonymous(port));
    expect(found(findings, 'problem')).toEqual([expect.stringMatching(/^certificate: the certificate expired on /)]);
    expect(code).toBe(3);
  });

  it('tells what to change of a server that is wrong in many ways, as its picture shows', async () => {
    // With the name and the ports that it would have.
    const settings = {
      listen_address: '203.0.113.7',
      listen_port: '21',
      pasv_address: '10.1.2.3',
      pasv_min_port: '50000',
      pasv_max_port: '50015',
      local_enable: 'YES',
      force_anon_logins_ssl: 'NO',
      force_local_logins_ssl: 'NO',
      ssl_ciphers: 'AES256-GCM-SHA384',
      ftpd_banner: 'Files of example.com',
    };
    const place = join(folder, 'broken.reader');
    mkdirSync(place);
    writeFileSync(join(place, 'password.txt'), 'anyone@example.com\n');
    writeFileSync(join(place, 'root.pem'), authority.pem);
    writeFileSync(join(place, 'hosts'), '203.0.113.7 ftps.example.com\n');
    execFileSync('ip', ['-n', namespace, 'address', 'add', '203.0.113.7/32', 'dev', 'lo']);
    await vsftpd('broken', settings, { namespaced: true, until: -2, names: ['ftp.example.net'] });
    const args = 'doctor ftps.example.com --ca root.pem --user anonymous --password-file password.txt --passive-ports 50000-50015';
    // The mounts of `ip netns exec` are its own.
    const script = `cd ${place}; mount --bind hosts /etc/hosts; exec env -u NO_COLOR FORCE_COLOR=1 COLUMNS=${COLUMNS} ${process.execPath} ${BUNDLE} ${args}`;
    const { code, output } = await run('ip', [...inNamespace, 'sh', '-c', script]);
    await ends(started.at(-1)!);
    expect(code).toBe(3);
    const label = 'What ftps doctor says of a server with several faults: each with what to change';
    expectPicture('terminal-doctor.svg', terminal(label, settled(`$ ftps ${args}\n${output}`)));
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

  it('names every outdated protocol and cipher of a server that still offers them', async () => {
    const { certificate, key } = await authority.issue({ rsa: true });
    const files = { certificate: join(folder, 'weak.pem'), key: join(folder, 'weak.key') };
    writeFileSync(files.certificate, certificate);
    writeFileSync(files.key, key);
    const old = join(__dirname, 'old-server.cjs');
    // OpenSSL as it is built today knows neither RC4 nor 3DES; GnuTLS still does.
    const priority = 'NORMAL:+VERS-TLS1.1:+VERS-TLS1.0:+ARCFOUR-128:+3DES-CBC:+RSA:+SHA1:+SIGN-ALL:%COMPAT';
    const gnutls = [
      'gnutls-serv',
      '--quiet',
      '--echo',
      '--port',
      '4433',
      '--priority',
      priority,
      '--x509certfile',
      files.certificate,
      '--x509keyfile',
      files.key,
    ];
    const daemon = spawn('ip', [...inNamespace, ...gnutls], { stdio: 'ignore' });
    started.push(daemon);
    await listening(4433, daemon, true);
    const servers = [
      await inNamespaceListening(2123, old, '2123', 'openssl', files.certificate, files.key),
      await inNamespaceListening(2124, old, '2124', 'behind', '4433'),
    ];
    const offers = async (port: string) => {
      const { code, findings } = await doctorInNamespace('--explicit-port', port, '--implicit-port', '0', '--ca', join(folder, 'ca.pem'));
      expect(code).toBe(3);
      return [...found(findings, 'problem'), ...found(findings, 'warning')].filter((text) => text.startsWith('tls'));
    };
    const offered = new Set([...(await offers('2123')), ...(await offers('2124'))]);
    for (const server of [...servers, daemon]) await ends(server);
    expect([...offered].sort()).toEqual([
      'tls: 3DES ciphers offered',
      'tls: RC4 ciphers offered',
      'tls: RSA key exchange is offered, which has no forward secrecy',
      'tls: TLS 1.0 offered',
      'tls: TLS 1.1 offered',
      'tls: anonymous ciphers offered',
      'tls: ciphers without encryption offered',
    ]);
  });

  it('says which port can not be reached', async () => {
    const { code, findings } = await doctor('--explicit-port', String(await freePort()), '--implicit-port', '0');
    expect(found(findings, 'problem')).toEqual([expect.stringMatching(/^explicit: port \d+ can't be reached/)]);
    expect(code).toBe(3);
  });
});
