/** Clients of SFTP as their users run them: each does the same things in its own words. */
import { type SpawnOptions, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PASSWORD, USER } from '../support/served';
import { BOTH } from './accounts';

const venv = process.env['CDK_FTPS_VENV'] ?? '';

export interface Place {
  readonly port: number;
  /** A folder for what the client needs and makes. */
  readonly folder: string;
  /** Type and key of the server's host key. */
  readonly hostKey: string;
  /** Private key of the user, in OpenSSH's form. */
  readonly key: string;
}

/** What a client is to do, one after the other. */
export type Step =
  | { readonly put: string; readonly as: string }
  | { readonly get: string; readonly as: string }
  | { readonly resumePut: string; readonly as: string }
  | { readonly resumeGet: string; readonly as: string }
  | { readonly list: string }
  | { readonly rename: string; readonly to: string }
  | { readonly mkdir: string }
  | { readonly rmdir: string }
  | { readonly remove: string };

/** By a password, a password that is asked for as keyboard-interactive, a key, or a key and then a password. */
export type Login = 'password' | 'interactive' | 'key' | 'both';
const userOf = (login: Login) => (login === 'both' ? BOTH : USER);
const hasKey = (login: Login) => login === 'key' || login === 'both';

export interface SftpClient {
  readonly name: string;
  /** Ways of logging in beyond a password and a key that it has words for. */
  readonly logins?: readonly Login[];
  /** What of the steps it has no words for. */
  readonly lacks?: readonly ('resumePut' | 'resumeGet' | 'rename over')[];
  /** Runs the steps in one session; answers what it printed. Throws where it fails. */
  run(place: Place, login: Login, steps: readonly Step[]): Promise<string>;
}

/** Runs a program; throws with what it said where it failed. */
export async function program(command: string, args: readonly string[], options: SpawnOptions & { readonly input?: string } = {}): Promise<string> {
  const child = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  child.stdout!.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr!.on('data', (chunk) => {
    output += chunk;
  });
  child.stdin!.on('error', () => {}).end(options.input ?? '');
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${code}\n${output}`);
  return output;
}

export function knownHosts({ folder, port, hostKey }: Place): string {
  const file = join(folder, 'known_hosts');
  writeFileSync(file, `[127.0.0.1]:${port} ${hostKey}\n[localhost]:${port} ${hostKey}\n`);
  return file;
}

/** Options and environment of OpenSSH's programs. */
export function openSsh(place: Place, login: Login): { readonly options: readonly string[]; readonly env: NodeJS.ProcessEnv } {
  const askpass = join(place.folder, 'askpass');
  writeFileSync(askpass, `#!/bin/sh\ncat <<'END'\n${PASSWORD}\nEND\n`);
  chmodSync(askpass, 0o700);
  const methods = { password: 'password', interactive: 'keyboard-interactive', key: 'publickey', both: 'publickey,password' };
  const by = [
    ...['-o', `PreferredAuthentications=${methods[login]}`],
    ...(hasKey(login) ? ['-o', 'IdentitiesOnly=yes', '-o', `IdentityFile=${place.key}`] : ['-o', 'PubkeyAuthentication=no']),
  ];
  return {
    options: ['-F', '/dev/null', '-o', `UserKnownHostsFile=${knownHosts(place)}`, '-o', 'StrictHostKeyChecking=yes', ...by],
    env: { ...process.env, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: 'none' },
  };
}

const quoted = (path: string) => `"${path.replaceAll(/[\\"]/g, '\\$&')}"`;

/** The words of sftp, which psftp has as well but for some. */
function sftpLine(step: Step): string {
  if ('put' in step) return `put ${quoted(step.put)} ${quoted(step.as)}`;
  if ('get' in step) return `get ${quoted(step.get)} ${quoted(step.as)}`;
  if ('resumePut' in step) return `reput ${quoted(step.resumePut)} ${quoted(step.as)}`;
  if ('resumeGet' in step) return `reget ${quoted(step.resumeGet)} ${quoted(step.as)}`;
  if ('list' in step) return `ls -l ${quoted(step.list)}`;
  if ('rename' in step) return `rename ${quoted(step.rename)} ${quoted(step.to)}`;
  if ('mkdir' in step) return `mkdir ${quoted(step.mkdir)}`;
  if ('rmdir' in step) return `rmdir ${quoted(step.rmdir)}`;
  return `rm ${quoted(step.remove)}`;
}

const sftp: SftpClient = {
  name: 'sftp of OpenSSH',
  logins: ['interactive', 'both'],
  run(place, login, steps) {
    const { options, env } = openSsh(place, login);
    const batch = join(place.folder, 'batch');
    writeFileSync(batch, `${steps.map(sftpLine).join('\n')}\n`);
    // BatchMode, which -b turns on, would ask for no password.
    return program('sftp', ['-o', 'BatchMode=no', '-b', batch, ...options, '-P', String(place.port), `${userOf(login)}@127.0.0.1`], { env });
  },
};

const lftp: SftpClient = {
  name: 'lftp',
  logins: ['interactive', 'both'],
  // Its `mv` is SFTP's own rename, which replaces nothing.
  lacks: ['rename over'],
  run(place, login, steps) {
    const { options, env } = openSsh(place, login);
    const line = (step: Step) => {
      if ('put' in step) return `put ${quoted(step.put)} -o ${quoted(step.as)}`;
      if ('get' in step) return `get ${quoted(step.get)} -o ${quoted(step.as)}`;
      if ('resumePut' in step) return `put -c ${quoted(step.resumePut)} -o ${quoted(step.as)}`;
      if ('resumeGet' in step) return `get -c ${quoted(step.resumeGet)} -o ${quoted(step.as)}`;
      if ('list' in step) return `ls ${quoted(step.list)}`;
      if ('rename' in step) return `mv ${quoted(step.rename)} ${quoted(step.to)}`;
      return sftpLine(step);
    };
    const settings = [
      'set cmd:fail-exit true',
      'set xfer:clobber true',
      'set sftp:auto-confirm true',
      `set sftp:connect-program ${quoted(`ssh -a -x ${options.map((one) => `'${one}'`).join(' ')}`)}`,
    ];
    const user = login === 'key' ? `${USER},` : `${userOf(login)},${PASSWORD.replaceAll(/[\\"]/g, '\\$&')}`;
    const script = [...settings, `open -u "${user}" sftp://127.0.0.1:${place.port}`, ...steps.map(line)].join('\n');
    const file = join(place.folder, 'lftp.script');
    writeFileSync(file, `${script}\n`);
    return program('lftp', ['--norc', '-f', file], { env: { ...env, HOME: place.folder } });
  },
};

const psftp: SftpClient = {
  name: 'psftp of PuTTY',
  logins: ['both'],
  lacks: ['rename over'],
  async run(place, login, steps) {
    const home = join(place.folder, 'putty');
    mkdirSync(home, { recursive: true });
    const ppk = join(home, 'key.ppk');
    await program('puttygen', [place.key, '-O', 'private', '-o', ppk]);
    const line = (step: Step) => ('list' in step ? `ls ${quotedPutty(step.list)}` : puttyLine(step));
    const fingerprint = `SHA256:${await import('node:crypto').then(({ createHash }) =>
      createHash('sha256')
        .update(Buffer.from(place.hostKey.split(' ')[1]!, 'base64'))
        .digest('base64')
        .replace(/=+$/, ''),
    )}`;
    const password = join(home, 'password');
    writeFileSync(password, `${PASSWORD}\n`, { mode: 0o600 });
    const by = [...(hasKey(login) ? ['-i', ppk] : []), ...(login === 'key' ? [] : ['-pwfile', password])];
    const batch = join(home, 'batch');
    writeFileSync(batch, `${steps.map(line).join('\n')}\nquit\n`);
    const args = ['-batch', '-b', batch, '-P', String(place.port), '-hostkey', fingerprint, ...by, `${userOf(login)}@127.0.0.1`];
    return program('psftp', args, { env: { ...process.env, HOME: home } });
  },
};

const quotedPutty = (path: string) => `"${path.replaceAll('"', '""')}"`;
function puttyLine(step: Step): string {
  if ('put' in step) return `put ${quotedPutty(step.put)} ${quotedPutty(step.as)}`;
  if ('get' in step) return `get ${quotedPutty(step.get)} ${quotedPutty(step.as)}`;
  if ('resumePut' in step) return `reput ${quotedPutty(step.resumePut)} ${quotedPutty(step.as)}`;
  if ('resumeGet' in step) return `reget ${quotedPutty(step.resumeGet)} ${quotedPutty(step.as)}`;
  if ('rename' in step) return `mv ${quotedPutty(step.rename)} ${quotedPutty(step.to)}`;
  if ('mkdir' in step) return `mkdir ${quotedPutty(step.mkdir)}`;
  if ('rmdir' in step) return `rmdir ${quotedPutty(step.rmdir)}`;
  return `del ${quotedPutty('remove' in step ? step.remove : '')}`;
}

const rclone: SftpClient = {
  name: 'rclone',
  logins: ['both'],
  lacks: ['resumePut', 'resumeGet'],
  async run(place, login, steps) {
    const binary = join(venv, 'bin/rclone');
    const obscured = login === 'key' ? '' : (await program(binary, ['obscure', '-'], { input: PASSWORD })).trim();
    const by = [...(hasKey(login) ? ['--sftp-key-file', place.key] : []), ...(login === 'key' ? [] : ['--sftp-pass', obscured])];
    const common = ['--config', '/dev/null', '--sftp-host', '127.0.0.1', '--sftp-port', String(place.port), '--sftp-user', userOf(login), ...by];
    const shared = [...common, '--sftp-known-hosts-file', knownHosts(place), '--retries', '1', '--low-level-retries', '1'];
    let output = '';
    for (const step of steps) {
      const words =
        'put' in step
          ? ['copyto', step.put, `:sftp:${step.as}`]
          : 'get' in step
            ? ['copyto', `:sftp:${step.get}`, step.as]
            : 'list' in step
              ? ['lsl', `:sftp:${step.list}`, '--max-depth', '1']
              : 'rename' in step
                ? ['moveto', `:sftp:${step.rename}`, `:sftp:${step.to}`]
                : 'mkdir' in step
                  ? ['mkdir', `:sftp:${step.mkdir}`]
                  : 'rmdir' in step
                    ? ['rmdir', `:sftp:${step.rmdir}`]
                    : ['deletefile', `:sftp:${'remove' in step ? step.remove : ''}`];
      output += await program(binary, [...words, ...shared]);
    }
    return output;
  },
};

/** Libraries of Python: the steps go to a script as JSON. */
function python(name: string, script: string, logins: readonly Login[]): SftpClient {
  return {
    name,
    logins,
    run(place, login, steps) {
      const job = {
        host: '127.0.0.1',
        port: place.port,
        user: userOf(login),
        known: knownHosts(place),
        steps,
        ...(hasKey(login) ? { key: place.key } : {}),
        ...(login === 'key' ? {} : { password: PASSWORD }),
        ...(login === 'interactive' ? { preferred: 'keyboard-interactive' } : {}),
      };
      return program(join(venv, 'bin/python'), [join(__dirname, script)], { input: JSON.stringify(job) });
    },
  };
}

/** curl, whose SFTP is libssh2's. */
const curl: SftpClient = {
  name: 'curl of libssh2',
  // It renames by SFTP's own request, which replaces nothing.
  lacks: ['rename over'],
  logins: ['both'],
  async run(place, login, steps) {
    const home = join(place.folder, 'curl');
    mkdirSync(join(home, '.ssh'), { recursive: true });
    writeFileSync(join(home, '.ssh/known_hosts'), readFileSync(knownHosts(place)));
    const file = join(home, 'login');
    const secret = login === 'key' ? '' : PASSWORD;
    writeFileSync(file, `user = "${userOf(login)}:${secret.replaceAll(/[\\"]/g, '\\$&')}"\n`, { mode: 0o600 });
    const by = ['-sS', '-K', file, ...(hasKey(login) ? ['--key', place.key, '--pubkey', `${place.key}.pub`] : [])];
    const url = (path: string) => `sftp://127.0.0.1:${place.port}${path.split('/').map(encodeURIComponent).join('/')}`;
    const quote = (line: string) => [url('/'), '-o', '/dev/null', '-Q', line];
    let output = '';
    for (const step of steps) {
      const words =
        'put' in step
          ? ['-T', step.put, url(step.as)]
          : 'get' in step
            ? ['-o', step.as, url(step.get)]
            : 'resumePut' in step
              ? ['-C', '-', '-T', step.resumePut, url(step.as)]
              : 'resumeGet' in step
                ? ['-C', '-', '-o', step.as, url(step.resumeGet)]
                : 'list' in step
                  ? [`${url(step.list)}/`]
                  : 'rename' in step
                    ? quote(`rename ${quoted(step.rename)} ${quoted(step.to)}`)
                    : quote('mkdir' in step ? `mkdir ${quoted(step.mkdir)}` : 'rmdir' in step ? `rmdir ${quoted(step.rmdir)}` : `rm ${quoted(step.remove)}`);
      output += await program('curl', [...by, ...words], { env: { ...process.env, HOME: home } });
    }
    return output;
  },
};

/** JSch, which programs in Java have: the fork that is kept up. */
const jsch: SftpClient = {
  name: 'JSch',
  logins: ['interactive', 'both'],
  run(place, login, steps) {
    const lines = steps.map((step) => Object.entries(step).flat().join('\t'));
    const job = [userOf(login), login === 'key' ? '' : PASSWORD, hasKey(login) ? place.key : '', login, knownHosts(place), ...lines];
    const jar = join(process.env['CDK_FTPS_CACHE'] ?? '', 'jsch-2.28.8.jar');
    return program('java', ['-Xshare:auto', '-cp', jar, join(__dirname, 'Jsch.java'), String(place.port)], { input: job.join('\n') });
  },
};

export const clients: readonly SftpClient[] = [
  sftp,
  lftp,
  psftp,
  rclone,
  curl,
  jsch,
  python('paramiko', 'paramiko_steps.py', ['both']),
  python('asyncssh', 'asyncssh_steps.py', ['interactive', 'both']),
];

/** What a program printed into a file. */
export const content = (file: string) => readFileSync(file);
