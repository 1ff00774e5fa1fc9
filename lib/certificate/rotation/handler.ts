/**
 * The Lambda that brings a certificate to the instances, run by ACM's events, once a day, at the first deployment, and by `ftps
 * certificate`. What an event says is never believed: the state is read from the source and the secret. Any failure leaves the
 * current version as it is, is counted by its reason, and is tried again.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { ACMClient } from '@aws-sdk/client-acm';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { acmSource } from './acm-source';
import { RotationFailure } from './failure';
import { reportDaysLeft, reportFailure } from './metrics';
import { PrivateCaApi } from './private-ca-api';
import { privateCaSource } from './private-ca-source';
import { pushReload } from './push';
import { type Outcome, type Rotation, release, rollBack, rotate, servable, servedDaysLeft } from './rotate';
import { SecretVersions } from './secret-versions';
import { type Settings, serviceEndpoint, setting, settings } from './settings';
import type { CertificateSource } from './source';
import { type CertificateStatus, statusOf } from './status';

/** Anything without an `action` rotates: ACM's events, the schedule, a deployment. */
export interface RotationRequest {
  /** Why it was run: `event` or `schedule`. A deployment sends an empty request. */
  readonly reason?: string;
  /** `rotate` also lets a certificate that was rolled back be taken up again. */
  readonly action?: 'rotate' | 'rollback' | 'status';
  /** Asks the source for another certificate even where the current one is in order; a private authority in short-lived mode can. */
  readonly renew?: boolean;
}

export interface RotationAnswer {
  readonly outcome?: Outcome | 'rolled-back';
  readonly versions: readonly CertificateStatus[];
}

const logger = new Logger({ serviceName: 'ftps-certificate-rotation' });

export async function handler(request: RotationRequest = {}): Promise<RotationAnswer> {
  const configured = settings();
  const secrets = new SecretsManagerClient({ maxAttempts: 6 });
  const versions = new SecretVersions(secrets, configured.secretId);
  const rotation: Rotation = { versions, source: sourceOf(configured, secrets), names: configured.names, minDaysLeft: configured.minDaysLeft };
  try {
    const outcome = request.action === 'status' ? undefined : await act(request, rotation);
    if (outcome !== undefined) logger.info('the certificate was looked after', { outcome });
    if (outcome === 'rotated' || outcome === 'rolled-back') await push(configured);
    return { outcome, versions: await statusOf(versions, configured.names) };
  } catch (error) {
    const reason = error instanceof RotationFailure ? error.reason : 'source';
    logger.error('the certificate was not rotated; the last good one is still served', { reason, message: (error as Error).message });
    reportFailure(reason, configured.metrics);
    // A deployment, or its roll-back, need not fail where the instances can go on with what they have; the next run by the schedule will tell.
    const deploying = Object.keys(request).length === 0;
    if (deploying && (await servable(versions).catch(() => false))) return { versions: await statusOf(versions, configured.names) };
    throw error;
  } finally {
    // Also when the rotation failed: that is when the days count.
    const days = await servedDaysLeft(versions).catch(() => undefined);
    if (days !== undefined) reportDaysLeft(days, configured.metrics);
  }
}

async function act({ action, renew }: RotationRequest, rotation: Rotation): Promise<Outcome | 'rolled-back'> {
  if (action === 'rollback') {
    await rollBack(rotation);
    return 'rolled-back';
  }
  if (action === 'rotate') await release(rotation.versions);
  return rotate(rotation, { renew });
}

/** Instances that are not told find the certificate by their own polling, so this never fails a rotation. */
async function push({ reload }: Settings): Promise<void> {
  if (!reload) return;
  try {
    await pushReload(new SSMClient({ maxAttempts: 3 }), reload);
  } catch (error) {
    logger.warn('the instances were not told; they find the certificate by themselves', { name: (error as Error).name, message: (error as Error).message });
  }
}

function sourceOf({ certificateArn, authority, names }: Settings, { config }: SecretsManagerClient): CertificateSource {
  if (!authority) return acmSource(new ACMClient({ maxAttempts: 6 }), certificateArn ?? setting('CERTIFICATE_ARN'));
  const region = setting('AWS_REGION');
  return privateCaSource(new PrivateCaApi(region, config.credentials, serviceEndpoint('acm-pca', region)), { ...authority, names });
}
