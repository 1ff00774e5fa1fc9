/** What the Lambda is told, by environment variables that its construct sets. */
import type { MetricTarget } from './metrics';
import type { PrivateCaIssue } from './private-ca-source';
import type { ReloadTarget } from './push';

export interface Settings {
  readonly secretId: string;
  readonly names: readonly string[];
  readonly minDaysLeft: number;
  readonly metrics: MetricTarget;
  /** The certificate of ACM to export … */
  readonly certificateArn?: string;
  /** … or the authority that issues. */
  readonly authority?: Omit<PrivateCaIssue, 'names'>;
  /** The instances to tell. */
  readonly reload?: ReloadTarget;
}

/** Throws an Error that names what is missing. */
export function settings(): Settings {
  const { CERTIFICATE_ARN, AUTHORITY_ARN, RELOAD_DOCUMENT, RELOAD_TAG } = process.env;
  return {
    secretId: setting('SECRET_ID'),
    names: setting('NAMES').split(','),
    minDaysLeft: Number(setting('MIN_DAYS_LEFT')),
    metrics: { namespace: setting('METRIC_NAMESPACE'), secret: setting('METRIC_SECRET') },
    certificateArn: CERTIFICATE_ARN,
    authority: AUTHORITY_ARN
      ? { authorityArn: AUTHORITY_ARN, keyAlgorithm: setting('KEY_ALGORITHM'), validityDays: Number(setting('VALIDITY_DAYS')) }
      : undefined,
    reload: RELOAD_DOCUMENT ? { document: RELOAD_DOCUMENT, tag: RELOAD_TAG ?? setting('RELOAD_TAG') } : undefined,
  };
}

export function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`the environment variable ${name} is missing`);
  return value;
}

/** Where a service is reached: AWS_ENDPOINT_URL where it is set, as in the SDK. */
export function serviceEndpoint(service: string, region: string): string {
  return process.env['AWS_ENDPOINT_URL'] ?? `https://${service}.${region}.${process.env['URL_SUFFIX'] ?? 'amazonaws.com'}/`;
}
