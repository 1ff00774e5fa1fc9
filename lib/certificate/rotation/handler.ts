/** The Lambda that brings a certificate from ACM to the instances. Any failure leaves the current version as it is. */
import { Logger } from '@aws-lambda-powertools/logger';
import { ACMClient } from '@aws-sdk/client-acm';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { rotate } from './rotate';

const logger = new Logger({ serviceName: 'ftps-certificate-rotation' });
const acm = new ACMClient({ maxAttempts: 6 });
const secrets = new SecretsManagerClient({ maxAttempts: 6 });

export async function handler(): Promise<void> {
  const setting = (name: string): string => {
    const value = process.env[name];
    if (value === undefined || value === '') throw new Error(`the environment variable ${name} is missing`);
    return value;
  };
  const names = setting('NAMES').split(',');
  const result = await rotate(
    { acm, secrets },
    { certificateArn: setting('CERTIFICATE_ARN'), secretId: setting('SECRET_ID'), names, minDaysLeft: Number(setting('MIN_DAYS_LEFT')) },
  );
  logger.info(result.changed ? 'the certificate was rotated' : 'the certificate is current', { serialNumber: result.serialNumber, daysLeft: result.daysLeft });
  reportDaysLeft(result.daysLeft, setting('METRIC_NAMESPACE'), setting('METRIC_SECRET'));
}

/** CloudWatch reads the metric out of the log (CloudWatch user guide, "Embedded metric format"). */
function reportDaysLeft(daysLeft: number, namespace: string, secret: string): void {
  process.stdout.write(
    `${JSON.stringify({
      _aws: { Timestamp: Date.now(), CloudWatchMetrics: [{ Namespace: namespace, Dimensions: [['Secret']], Metrics: [{ Name: 'CertificateDaysLeft' }] }] },
      Secret: secret,
      CertificateDaysLeft: daysLeft,
    })}\n`,
  );
}
