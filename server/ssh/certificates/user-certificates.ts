/** Whose certificates of users are taken, and what was revoked. */

import type { FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Audit } from '../../audit/event';
import type { SftpConfig } from '../../config';
import type { RefusalReason } from '../../identity/identity';
import { watchFile } from '../../identity/watch-file';
import { isObject, readObjectBytes } from '../../secrets/object';
import { algorithmOf, isOdd, isSignedBy, keyTypeOf, readPublicKey } from '../public-key';
import { WireReader } from '../wire';
import type { Certificate } from './certificate';
import { type Ties, tiesIn } from './options';
import { type Presented, Revocations } from './revocations';

type Settings = SftpConfig['userCertificates'];

export class UserCertificates {
  private readonly trusted: ReadonlySet<string>;
  private timer: NodeJS.Timeout | undefined;
  private watcher: FSWatcher | undefined;

  private constructor(
    private readonly settings: Settings,
    /** Algorithms that an authority may sign by. */
    private readonly algorithms: readonly string[],
    private readonly audit: Audit,
    private revocations: Revocations,
  ) {
    this.trusted = new Set(settings.authorities.map((line) => line.split(' ', 2)[1]!));
  }

  /** Throws an Error that names the setting where the list of what was revoked can't be used. */
  static async open(settings: Settings, algorithms: readonly string[], audit: Audit): Promise<UserCertificates> {
    const opened = new UserCertificates(settings, algorithms, audit, await revocationsOf(settings));
    const { revocationList, pollSeconds } = settings;
    if (revocationList === undefined) return opened;
    const again = () => void opened.reload();
    // A tenth of jitter, so that a fleet does not ask all at once.
    if (isObject(revocationList)) opened.timer = setInterval(again, pollSeconds * 1000 * (0.9 + Math.random() * 0.2)).unref();
    else opened.watcher = watchFile(revocationList, again);
    return opened;
  }

  /** Reads the list of what was revoked again. What is bad is refused and reported, and the last good one stays. */
  async reload(): Promise<boolean> {
    const { revocationList } = this.settings;
    if (revocationList === undefined) return true;
    try {
      const revocations = await revocationsOf(this.settings);
      if (!revocations.isSameAs(this.revocations))
        this.audit.record({ kind: 'configuration', change: 'reloaded', what: 'revoked keys', detail: revocationList });
      this.revocations = revocations;
      return true;
    } catch (error) {
      this.audit.record({ kind: 'configuration', change: 'refused', what: 'revoked keys', detail: (error as Error).message });
      return false;
    }
  }

  isRevoked(presented: Presented): boolean {
    return this.revocations.includes(presented);
  }

  /** Whether every account takes what this authority signs, unless it says otherwise. */
  trusts(authority: Buffer): boolean {
    return this.trusted.has(authority.toString('base64'));
  }

  /** What speaks against a certificate, whatever the account; or what it is good for. `now` in milliseconds since 1970. */
  check(certificate: Certificate, address: string, now = Date.now()): Ties | RefusalReason {
    const { isForUsers, validAfter, validBefore, criticalOptions } = certificate;
    const seconds = BigInt(Math.floor(now / 1000));
    const ties = tiesIn(criticalOptions);
    if (!isForUsers || seconds < validAfter || seconds >= validBefore || !ties || isOdd(certificate.key)) return 'certificate-not-valid';
    if (ties.networks && !ties.networks.contains(address)) return 'address-not-allowed';
    if (this.isRevoked({ keyBlob: certificate.keyBlob, certificate })) return 'key-revoked';
    return this.isSigned(certificate) ? ties : 'certificate-not-valid';
  }

  private isSigned({ authority, signed, signature }: Certificate): boolean {
    try {
      const algorithm = algorithmOf(signature);
      if (!this.algorithms.includes(algorithm) || new WireReader(authority).text() !== keyTypeOf(algorithm)) return false;
      const key = readPublicKey(authority);
      return !isOdd(key) && isSignedBy(key, algorithm, signed, signature);
    } catch {
      return false;
    }
  }

  close(): void {
    clearInterval(this.timer);
    this.watcher?.close();
  }
}

async function revocationsOf({ revoked, revocationList }: Settings): Promise<Revocations> {
  const revocations = new Revocations(revoked);
  if (revocationList === undefined) return revocations;
  const key = 'sftp.userCertificates.revocationList';
  try {
    return revocations.including(await bytesOf(revocationList));
  } catch (error) {
    throw new Error(`${key}: ${(error as Error).message}`);
  }
}

async function bytesOf(location: string): Promise<Buffer> {
  if (isObject(location)) return readObjectBytes(location);
  return readFile(location).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${location} can't be read (${error.code})`);
  });
}
