/** The built server, `ftps serve --config`, and logins at it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { Client, FTPError } from 'basic-ftp';
import type { AuditLine } from '../../../server/audit/schema';
import type { ServerConfigInput } from '../../../server/config';
import { TestAuthority } from '../../server/support/authority';
import { BUNDLE } from '../support/served';

export interface Login {
  /** 230 or 232 where it worked, else the code of the refusal. */
  readonly code: number;
  readonly text: string;
}

export class Server {
  private output = '';
  private attempts = 0;

  private constructor(
    readonly folder: string,
    private readonly child: ChildProcess,
    readonly authority: TestAuthority,
    private port: number,
    private sftpPort = 0,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => {
        this.output += chunk;
      });
  }

  static async start(
    settings: Pick<ServerConfigInput, 'identity'> & { limits?: ServerConfigInput['limits']; clientCa?: string; userCa?: string },
    {
      environment = {},
      wrapper = [],
      before,
    }: { environment?: NodeJS.ProcessEnv; wrapper?: readonly string[]; before?: (files: string) => Promise<void> } = {},
  ): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), 'ftps-identity-'));
    mkdirSync(join(folder, 'files'));
    await before?.(join(folder, 'files'));
    const authority = await TestAuthority.create();
    const issued = await authority.issue();
    writeFileSync(join(folder, 'server.pem'), issued.certificate);
    writeFileSync(join(folder, 'server.key'), issued.key);
    const { identity, limits = {}, clientCa, userCa } = settings;
    writeFileSync(join(folder, 'host.pem'), generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
    if (clientCa !== undefined) writeFileSync(join(folder, 'clients.pem'), clientCa);
    const config: ServerConfigInput = {
      listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0, clientCertificates: clientCa === undefined ? 'off' : 'optional' }],
      passive: { ports: 'any:4' },
      sftp: {
        host: '127.0.0.1',
        port: 0,
        hostKeys: [{ kind: 'file', file: join(folder, 'host.pem') }],
        userCertificates: { authorities: userCa === undefined ? [] : [userCa] },
      },
      tls: {
        certificates: [{ kind: 'file', certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') }],
        ...(clientCa === undefined ? {} : { clientCa: join(folder, 'clients.pem') }),
      },
      storage: { kind: 'local', root: join(folder, 'files') },
      identity,
      limits,
      audit: { destination: join(folder, 'audit.json') },
    };
    writeFileSync(join(folder, 'server.json'), JSON.stringify(config));
    const ready = join(folder, 'ready.json');
    const [program, ...args] = [...wrapper, process.execPath, BUNDLE, 'serve', '--config', join(folder, 'server.json'), '--ready-file', ready];
    const child = spawn(program!, args, { cwd: folder, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
    const server = new Server(folder, child, authority, 0);
    while (!existsSync(ready) || readFileSync(ready, 'utf8') === '') {
      if (child.exitCode !== null) throw new Error(`the server ended: ${server.output}`);
      await after(20);
    }
    const { explicit, sftp } = JSON.parse(readFileSync(ready, 'utf8'));
    server.port = explicit;
    server.sftpPort = sftp;
    return server;
  }

  get pid(): number {
    return this.child.pid!;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Everything that the process has written by itself: standard output, standard error, audit. */
  get written(): string {
    return this.output + readFileSync(join(this.folder, 'audit.json'), 'utf8');
  }

  audit(): AuditLine[] {
    return readFileSync(join(this.folder, 'audit.json'), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  /** The last login that the audit has of this name, as text. A reply may come before its line is in the file. */
  async lastLogin(login: string): Promise<string> {
    while (this.written.split('"event":"login"').length <= this.attempts) await after(10);
    return JSON.stringify(this.audit().findLast((line) => line.class_uid === 3002 && JSON.stringify(line).includes(JSON.stringify(login).slice(1, -1))));
  }

  async login(user: string, password: string, certificate?: { certificate: string; key: string }): Promise<Login & { home?: string }> {
    const client = new Client(20_000);
    try {
      await client.access({
        host: 'localhost',
        port: this.port,
        user,
        password,
        secure: true,
        secureOptions: { ca: this.authority.pem, host: 'localhost', cert: certificate?.certificate, key: certificate?.key },
      });
      return { code: 230, text: 'Logged in.' };
    } catch (error) {
      if (error instanceof FTPError) return { code: error.code, text: error.message };
      throw error;
    } finally {
      this.attempts += 1;
      client.close();
    }
  }

  /** Logs in over SFTP with this private key, and the certificate beside it where there is one; true where it worked. */
  async loginByKey(user: string, key: string, password?: string): Promise<boolean> {
    const askpass = join(this.folder, 'askpass');
    writeFileSync(askpass, `#!/bin/sh\ncat <<'END'\n${password ?? ''}\nEND\n`);
    chmodSync(askpass, 0o700);
    const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'IdentitiesOnly=yes', 'BatchMode=no', 'NumberOfPasswordPrompts=1'];
    const methods = password === undefined ? 'publickey' : 'publickey,password';
    // -b, which comes behind it, would ask for no password.
    const words = [...options, `PreferredAuthentications=${methods}`].flatMap((one) => ['-o', one]);
    const args = ['-F', '/dev/null', ...words, '-b', '-', '-P', String(this.sftpPort), '-i', key];
    const child = spawn('sftp', [...args, '-o', `User=${user}`, '127.0.0.1'], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ...process.env, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: 'none' },
    });
    child.stdin!.on('error', () => {}).end('pwd\n');
    const [code] = await once(child, 'exit');
    return code === 0;
  }

  /** Fulfilled when the audit says this of the last login of this name over SSH: its method, or why it was refused. A reply may come before its line is in the file. */
  async saysByKey(login: string, what: string): Promise<void> {
    const last = () => {
      const line = this.audit().findLast((one) => one.class_uid === 3002 && one.unmapped?.protocol === 'ssh' && one.user.name === login);
      return line && 'auth_protocol' in line && line.status === 'Success' ? line.auth_protocol : line?.status_detail;
    };
    while (last() !== what) await after(20);
  }

  /** Makes a folder as this user, so that its home can be seen in the file system. */
  async makeFolder(user: string, password: string, name: string): Promise<void> {
    const client = new Client(20_000);
    try {
      await client.access({ host: 'localhost', port: this.port, user, password, secure: true, secureOptions: { ca: this.authority.pem, host: 'localhost' } });
      await client.send(`MKD ${name}`);
    } finally {
      this.attempts += 1;
      client.close();
    }
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.running) {
      const ended = once(this.child, 'exit');
      this.child.kill(signal);
      await ended;
    }
  }

  async close(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
