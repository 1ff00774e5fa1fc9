/** The configuration that the flags of `ftps serve` mean: one account, local files, loopback, a certificate of the local CA. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { checkServerConfig, type ServerConfig } from '../../server/config';
import { hashPassword } from '../../server/identity/password';
import { UsageError } from './exit';
import { localCertificate } from './local-ca';
import { localHostKey } from './local-host-key';

export interface LaptopFlags {
  readonly host?: string;
  readonly explicitPort?: string;
  readonly implicitPort?: string;
  readonly passivePorts?: string;
  readonly sftpPort?: string;
  readonly httpsPort?: string;
  readonly root?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly audit?: string;
  readonly adminPort?: string;
  readonly workers?: string;
  readonly state?: string;
}

/** Makes what is missing in the state folder (CA, certificate, accounts file) and returns the checked configuration. */
export async function laptopConfig(flags: LaptopFlags): Promise<{ config: ServerConfig; ca: string }> {
  if (!flags.user || !flags.passwordFile) throw new UsageError('without --config, both --user and --password-file are needed; or use --config FILE');
  const state = resolve(flags.state ?? '.ftps');
  const password = (
    await readFile(flags.passwordFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(`--password-file ${flags.passwordFile}: can't be read (${error.code})`);
    })
  )
    .split('\n', 1)[0]!
    .replace(/\r$/, '');
  if (password === '') throw new UsageError(`--password-file ${flags.passwordFile}: its first line is the password, and it is empty`);
  const root = resolve(flags.root ?? join(state, 'files'));
  const { ca, certificate, key } = await localCertificate(state);
  const accounts = join(state, `accounts-${flags.user.replaceAll(/[^\w.-]/g, '_')}.json`);
  const config = checkServerConfig({
    listeners: [
      { mode: 'explicit', host: flags.host ?? '127.0.0.1', port: number('--explicit-port', flags.explicitPort, 2121) },
      { mode: 'implicit', host: flags.host ?? '127.0.0.1', port: number('--implicit-port', flags.implicitPort, 2990) },
    ],
    passive: { ports: /^0(-0)?$/.test(flags.passivePorts ?? '') ? 'any:16' : (flags.passivePorts ?? '50000-50015') },
    ...(flags.sftpPort === undefined
      ? {}
      : {
          sftp: {
            host: flags.host ?? '127.0.0.1',
            port: number('--sftp-port', flags.sftpPort, 2022),
            hostKeys: [{ kind: 'file', file: await localHostKey(state) }],
          },
        }),
    ...(flags.httpsPort === undefined ? {} : { https: { host: flags.host ?? '127.0.0.1', port: number('--https-port', flags.httpsPort, 8443), links: {} } }),
    tls: { certificates: [{ kind: 'file', certificate, key }] },
    storage: { kind: 'local', root },
    identity: [{ kind: 'file', file: accounts }],
    workers: flags.workers === undefined ? undefined : flags.workers === 'auto' ? 'auto' : number('--workers', flags.workers, 1),
    audit: { destination: flags.audit ?? '-' },
    admin: flags.adminPort === undefined ? {} : { port: number('--admin-port', flags.adminPort, 0) },
  });
  await mkdir(root, { recursive: true });
  await writeFile(accounts, `${JSON.stringify({ accounts: [{ user: flags.user, home: '/', passwordHash: await hashPassword(password) }] })}\n`, {
    mode: 0o600,
  });
  return { config, ca };
}

function number(flag: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new UsageError(`${flag}: "${text}" is no port; write a number from 0 to 65535, 0 for any free one`);
  return Number(text);
}
