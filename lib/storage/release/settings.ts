/** What the construct tells the Lambda. */
import type { MetricTarget } from './metrics';

export interface Settings {
  readonly filesBucket: string;
  readonly quarantineBucket: string;
  readonly quarantinePrefix: string;
  /** Undefined where each bucket is encrypted as it says itself. */
  readonly kmsKeyId: string | undefined;
  readonly eventBus: string;
  readonly metrics: MetricTarget;
}

export function settings(): Settings {
  return {
    filesBucket: setting('FILES_BUCKET'),
    quarantineBucket: setting('QUARANTINE_BUCKET'),
    quarantinePrefix: setting('QUARANTINE_PREFIX'),
    kmsKeyId: process.env['KMS_KEY_ID'] || undefined,
    eventBus: setting('EVENT_BUS'),
    metrics: { namespace: setting('METRIC_NAMESPACE'), storage: setting('METRIC_STORAGE') },
  };
}

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`the environment variable ${name} is missing`);
  return value;
}
