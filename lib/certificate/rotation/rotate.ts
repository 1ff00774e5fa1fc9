/**
 * One rotation: take the certificate from its source, check it, store it as AWSPENDING, read it back and check it again, and only
 * then move AWSCURRENT. Each step may be the last one before a crash, and the whole may run twice: the outcome is the same.
 */
import { X509Certificate } from 'node:crypto';
import { type CertificateMaterial, certificateProblems, daysLeftOf } from '../../../server/config';
import { RotationFailure } from './failure';
import { ROLLED_BACK, type SecretVersions, type StoredCertificate, versionOf } from './secret-versions';
import { sameSerial, serialOf } from './serial';
import type { CertificateSource } from './source';

export interface Rotation {
  readonly source: CertificateSource;
  readonly versions: SecretVersions;
  /** Host names that must be covered. */
  readonly names: readonly string[];
  /** Days that a certificate must still last to be taken up. */
  readonly minDaysLeft: number;
}

/** `rotated`: another certificate is served now. `current`: the right one was served already. `held`: a person rolled the new one back. */
export type Outcome = 'rotated' | 'current' | 'held';

/** Throws a RotationFailure; AWSCURRENT is then what it was. */
export async function rotate({ source, versions, names, minDaysLeft }: Rotation, { renew = false } = {}): Promise<Outcome> {
  const labels = await versions.labels();
  const currentVersion = labels.get('AWSCURRENT');
  const current = currentVersion === undefined ? undefined : await versions.read(currentVersion);
  const fromHere = current?.source === undefined || current.source === source.id ? current : undefined;
  const latest = await source.latest(fromHere, renew);
  refuseIfWrong(latest, { names, minDaysLeft });
  if (sameSerial(serialOf(latest), serialOf(fromHere))) return 'current';
  // An answer out of date, as an eventually consistent service may give it.
  if (fromHere && isNewer(fromHere, latest) && certificateProblems(fromHere, { names }).length === 0) return 'current';

  const stored: StoredCertificate = { ...latest, source: source.id };
  if (labels.get(ROLLED_BACK) === versionOf(stored)) return 'held';
  const version = await versions.put(stored);
  const readBack = await versions.read(version);
  if (!readBack) throw new RotationFailure('store', 'the pending version of the secret can not be read back');
  refuseIfWrong(readBack, { names, minDaysLeft });
  await versions.move('AWSCURRENT', version);
  return 'rotated';
}

/**
 * Puts the certificate before the current one back into service, and holds the current one off until `release`. Throws a
 * RotationFailure where there is none before, or where it could not be served.
 */
export async function rollBack({ versions, names }: Pick<Rotation, 'versions' | 'names'>): Promise<void> {
  const labels = await versions.labels();
  const [current, previous] = [labels.get('AWSCURRENT'), labels.get('AWSPREVIOUS')];
  const material = previous === undefined ? undefined : await versions.read(previous);
  if (current === undefined || previous === undefined || !material)
    throw new RotationFailure('store', 'there is no certificate before the current one to go back to');
  refuseIfWrong(material, { names, minDaysLeft: 0 });
  await versions.move(ROLLED_BACK, current); // first, so that no rotation comes in between
  await versions.move('AWSCURRENT', previous);
}

/** Lets a certificate that was rolled back be taken up again. */
export async function release(versions: SecretVersions): Promise<void> {
  await versions.remove(ROLLED_BACK);
}

function isNewer(one: CertificateMaterial, other: CertificateMaterial): boolean {
  const begin = ({ certificate }: CertificateMaterial) => Date.parse(new X509Certificate(certificate).validFrom);
  return begin(one) > begin(other);
}

function refuseIfWrong(material: CertificateMaterial, expectation: { names: readonly string[]; minDaysLeft: number }): void {
  const problems = certificateProblems(material, expectation);
  if (problems.length > 0) throw new RotationFailure('refused', `the certificate is refused: ${problems.join('; ')}`);
}

/** Days that are left to the certificate in service; undefined where none can be read. */
export async function servedDaysLeft(versions: SecretVersions): Promise<number | undefined> {
  const version = (await versions.labels()).get('AWSCURRENT');
  const current = version === undefined ? undefined : await versions.read(version);
  return serialOf(current) === undefined ? undefined : daysLeftOf(new X509Certificate(current!.certificate));
}

/** Whether the secret has a certificate that could be served as it is, for whichever names. */
export async function servable(versions: SecretVersions): Promise<boolean> {
  const version = (await versions.labels()).get('AWSCURRENT');
  const current = version === undefined ? undefined : await versions.read(version);
  return current !== undefined && certificateProblems(current, {}).length === 0;
}
