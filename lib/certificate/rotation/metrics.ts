/** What the Lambda tells CloudWatch, which reads it out of the log (CloudWatch user guide, "Embedded metric format"). */
import type { FailureReason } from './failure';

export interface MetricTarget {
  readonly namespace: string;
  /** Dimension `Secret`: the path of the construct. */
  readonly secret: string;
}

export function reportDaysLeft(daysLeft: number, target: MetricTarget): void {
  report('CertificateDaysLeft', Math.floor(daysLeft), target, {});
}

export function reportFailure(reason: FailureReason, target: MetricTarget): void {
  report('CertificateRotationFailures', 1, target, { Reason: reason });
}

function report(name: string, value: number, { namespace, secret }: MetricTarget, dimensions: Readonly<Record<string, string>>): void {
  const all = { Secret: secret, ...dimensions };
  const _aws = { Timestamp: Date.now(), CloudWatchMetrics: [{ Namespace: namespace, Dimensions: [Object.keys(all)], Metrics: [{ Name: name }] }] };
  process.stdout.write(`${JSON.stringify({ _aws, ...all, [name]: value })}\n`);
}
