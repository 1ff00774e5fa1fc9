/** What the Lambda tells CloudWatch, which reads it out of the log (CloudWatch user guide, "Embedded metric format"). */

export interface MetricTarget {
  readonly namespace: string;
  /** Dimension `Fleet`: the name of the group. */
  readonly fleet: string;
}

export function report(values: Readonly<Partial<Record<'ImageAgeDays' | 'ImagesGivenUp', number>>>, { namespace, fleet }: MetricTarget): void {
  const Metrics = Object.keys(values).map((Name) => ({ Name }));
  const _aws = { Timestamp: Date.now(), CloudWatchMetrics: [{ Namespace: namespace, Dimensions: [['Fleet']], Metrics }] };
  process.stdout.write(`${JSON.stringify({ _aws, Fleet: fleet, ...values })}\n`);
}
