/**
 * What AWS asks, in one place: list prices of US East (N. Virginia), on demand, in US dollars, without free tiers. Looked up in November 2026 in copies
 * of AWS's price pages and in what others quote of them. Prices differ between regions and change: look again before you decide.
 */

export const READ_IN = 'November 2026';
export const REGION = 'US East (N. Virginia)';

/** Hours of a month, as AWS counts them. */
export const HOURS = 730;

export interface Price {
  readonly usd: number;
  /** What the price is for. */
  readonly per: string;
  /** Title of the page of AWS that says it. */
  readonly source: string;
}

const price = (usd: number, per: string, source: string): Price => ({ usd, per, source });

/** Instances of the arm64 kind that the image is for. */
export const instancePrices: Readonly<Record<string, Price>> = Object.fromEntries(
  (
    [
      ['t4g.micro', 0.0084],
      ['t4g.small', 0.0168],
      ['t4g.medium', 0.0336],
      ['t4g.large', 0.0672],
      ['t4g.xlarge', 0.1344],
      ['c7g.medium', 0.0363],
      ['c7g.large', 0.0725],
      ['c7g.xlarge', 0.145],
      ['c7g.2xlarge', 0.29],
      ['c7g.4xlarge', 0.58],
      ['m7g.medium', 0.0408],
      ['m7g.large', 0.0816],
      ['m7g.xlarge', 0.1632],
      ['m7g.2xlarge', 0.3264],
    ] as const
  ).map(([type, usd]) => [type, price(usd, 'hour', 'Amazon EC2 On-Demand Pricing')]),
);

export const prices = {
  publicAddress: price(0.005, 'hour of a public IPv4 address', 'Amazon VPC pricing, "Public IPv4 addresses"'),
  disk: price(0.08, 'GB and month of a gp3 volume', 'Amazon EBS pricing'),
  snapshot: price(0.05, 'GB and month of a snapshot', 'Amazon EBS pricing'),
  natGateway: price(0.045, 'hour, and GB', 'Amazon VPC pricing, "NAT gateway"'),
  interfaceEndpoint: price(0.01, 'hour and zone, and GB', 'AWS PrivateLink pricing'),
  loadBalancer: price(0.0225, 'hour', 'Elastic Load Balancing pricing, "Network Load Balancer"'),
  loadBalancerUnit: price(0.006, 'hour of a capacity unit, which is a GB an hour', 'Elastic Load Balancing pricing, "Network Load Balancer"'),
  networkFirewall: price(0.395, 'hour of an endpoint', 'AWS Network Firewall pricing'),
  networkFirewallGigabyte: price(0.065, 'GB', 'AWS Network Firewall pricing'),
  efsStored: price(0.3, 'GB and month in Standard', 'Amazon EFS pricing'),
  efsStoredInfrequent: price(0.025, 'GB and month in Infrequent Access, where files go after 30 days unread', 'Amazon EFS pricing'),
  efsBackup: price(0.05, 'GB and month of a backup', 'AWS Backup pricing'),
  efsElasticWrite: price(0.06, 'GB written with elastic throughput', 'Amazon EFS pricing'),
  efsElasticRead: price(0.03, 'GB read with elastic throughput', 'Amazon EFS pricing'),
  s3Stored: price(0.023, 'GB and month', 'Amazon S3 pricing'),
  s3Put: price(0.005 / 1000, 'PUT, COPY or LIST request', 'Amazon S3 pricing'),
  s3Get: price(0.0004 / 1000, 'GET request', 'Amazon S3 pricing'),
  malwareScan: price(0.09, 'GB', 'Amazon GuardDuty pricing, "Malware Protection for S3"'),
  malwareScanObject: price(0.215 / 1000, 'object', 'Amazon GuardDuty pricing, "Malware Protection for S3"'),
  key: price(1, 'month, and 1 more after each of the first two rotations', 'AWS KMS pricing'),
  secret: price(0.4, 'secret and month', 'AWS Secrets Manager pricing'),
  metric: price(0.3, 'custom metric and month, by the hours in which it has values', 'Amazon CloudWatch pricing'),
  alarm: price(0.1, 'metric of an alarm and month', 'Amazon CloudWatch pricing'),
  compositeAlarm: price(0.5, 'composite alarm and month', 'Amazon CloudWatch pricing'),
  dashboard: price(3, 'dashboard and month', 'Amazon CloudWatch pricing'),
  logs: price(0.5, 'GB taken in', 'Amazon CloudWatch pricing'),
  logsStored: price(0.03, 'GB and month, compressed', 'Amazon CloudWatch pricing'),
  firehose: price(0.029, 'GB taken in, in steps of 5 KB a record', 'Amazon Data Firehose pricing'),
  firehoseConversion: price(0.018, 'GB converted to Parquet', 'Amazon Data Firehose pricing'),
  athena: price(5, 'TB read by a query', 'Amazon Athena pricing'),
  certificateName: price(7, 'name of an exportable certificate, at issue and at each renewal', 'AWS Certificate Manager pricing'),
  certificateWildcard: price(79, 'wildcard name of an exportable certificate, at issue and at each renewal', 'AWS Certificate Manager pricing'),
  privateAuthority: price(400, 'authority and month', 'AWS Private CA pricing, "general-purpose mode"'),
  shortLivedAuthority: price(50, 'authority and month', 'AWS Private CA pricing, "short-lived certificate mode"'),
  hostedZone: price(0.5, 'hosted zone and month', 'Amazon Route 53 pricing'),
  lambda: price(0.0000133334, 'GB-second on arm64, and 0.20 a million requests', 'AWS Lambda pricing'),
  dynamoWrite: price(0.625 / 1_000_000, 'write on demand', 'Amazon DynamoDB pricing'),
  queue: price(0.4 / 1_000_000, 'request', 'Amazon SQS pricing'),
  buildMinute: price(0.005, 'minute of a small build machine', 'AWS CodeBuild pricing'),
  pipeline: price(1, 'active pipeline and month', 'AWS CodePipeline pricing, "V1"'),
  inspector: price(1.2528, 'instance and month, where Amazon Inspector is switched on', 'Amazon Inspector pricing'),
  internetOut: price(0.09, 'GB to the internet', 'Amazon EC2 On-Demand Pricing, "Data Transfer"'),
  transferFamilyProtocol: price(0.3, 'hour of a protocol of an endpoint', 'AWS Transfer Family pricing'),
  transferFamilyGigabyte: price(0.04, 'GB up or down', 'AWS Transfer Family pricing'),
} as const satisfies Readonly<Record<string, Price>>;

/** Days for which ACM issues a public certificate, and how long before its end it renews it (ACM user guide, "Managed certificate renewal"). */
export const certificateDays = { validity: 198, renewedBefore: 45 } as const;
