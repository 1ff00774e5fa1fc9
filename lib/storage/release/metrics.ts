/** What the Lambda tells CloudWatch, which reads it out of the log (CloudWatch user guide, "Embedded metric format"). */

export interface MetricTarget {
  readonly namespace: string;
  /** Dimension `Storage`: the construct. */
  readonly storage: string;
}

export type MetricName = 'UploadsReleased' | 'UploadsInfected' | 'UploadsUnscanned' | 'UploadsOverdue';

export function report(name: MetricName, value: number, { namespace, storage }: MetricTarget): void {
  const _aws = { Timestamp: Date.now(), CloudWatchMetrics: [{ Namespace: namespace, Dimensions: [['Storage']], Metrics: [{ Name: name }] }] };
  process.stdout.write(`${JSON.stringify({ _aws, Storage: storage, [name]: value })}\n`);
}
