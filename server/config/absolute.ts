/**
 * Paths of the settings may begin at the working directory of whoever starts the server. They are made whole once, at the start: the
 * server changes its working directory while it looks at the entries of large folders.
 */
import { resolve } from 'node:path';
import type { ServerConfig } from './schema';

/** Where paths stand; `*` is every element of a list. */
const PATHS = [
  'sftp.hostKeys.*.file',
  'sftp.userCertificates.revocationList',
  'as2.identity.signing.certificate',
  'as2.identity.signing.key',
  'as2.identity.decryption.*.certificate',
  'as2.identity.decryption.*.key',
  'as2.partners.*.certificates.*',
  'as2.partners.*.encryptionCertificate',
  'as2.partners.*.tlsCa',
  'tls.certificates.*.certificate',
  'tls.certificates.*.key',
  'tls.clientCa',
  'tls.clientCrl',
  'firewall.socket',
  'storage.root',
  'storage.spool',
  'antivirus.socket',
  'identity.*.file',
  'identity.*.ca',
  'identity.*.bind.passwordFile',
  'afterRelease.outbox',
  'afterRelease.webhooks.*.ca',
  'afterRelease.webhooks.*.secrets.*.file',
  'audit.destination',
  'admin.socket',
];

/** What stands for something else than a path: standard output, an object in S3, PEM text. */
const NO_PATH = /^-$|^s3:\/\/|-----BEGIN /;

type Value = unknown[] | { [key: string]: unknown };

/** The same settings, where every path is absolute. */
export function withAbsolutePaths(config: ServerConfig): ServerConfig {
  const copy = structuredClone(config);
  for (const path of PATHS) settle(copy, path.split('.'));
  return copy;
}

function settle(value: Value, [key, ...rest]: readonly string[]): void {
  for (const name of key === '*' ? Object.keys(value) : [key!]) {
    const next = (value as Record<string, unknown>)[name];
    if (rest.length > 0 && next && typeof next === 'object') settle(next as Value, rest);
    else if (rest.length === 0 && typeof next === 'string' && !NO_PATH.test(next)) (value as Record<string, unknown>)[name] = resolve(next);
  }
}
