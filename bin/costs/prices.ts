/**
 * What AWS asks, in one place: list prices of US East (N. Virginia), on demand, in US dollars, without free tiers. They were compared
 * in November 2026 with copies of AWS's price lists and pages and with what others publish of them, each as old as `seen` says, not with the pages of that day.
 * Prices differ between regions and change: look again before you decide.
 */

export const REGION = 'US East (N. Virginia)';

/** Hours of a month, as AWS counts them. */
export const HOURS = 730;

export interface Price {
  readonly usd: number;
  /** What the price is for. */
  readonly per: string;
  /** Title of the page of AWS that is to be asked. */
  readonly source: string;
  /** Where the figure was seen, and how old that is; or that it wasn't confirmed. */
  readonly seen: string;
}

const price = (usd: number, per: string, source: string, seen: string): Price => ({ usd, per, source, seen });

/** Public tables of prices that others made from AWS's price list in September and October 2026. */
const LIST = 'price list, 2026';
/** What Infracost calculates from AWS's price list for this region: expected results of its tests, last written in July 2024 (endpoints: October). */
const CALCULATED = 'Infracost, 2024';
/** Examples of AWS's own page for this region, copied by others on 7 October 2026. */
const EXAMPLES = 'examples of the page, October 2026';
/** A copy of AWS's page that bears no date. */
const COPY = 'copy of the page, undated';
/** What others say that AWS's page says. */
const QUOTED = 'not confirmed: quoted by others, undated';

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
  ).map(([type, usd]) => [type, price(usd, 'hour', 'Amazon EC2 On-Demand Pricing', LIST)]),
);

export const prices = {
  publicAddress: price(0.005, 'hour of a public IPv4 address', 'Amazon VPC pricing, "Public IPv4 addresses"', LIST),
  disk: price(0.08, 'GB and month of a gp3 volume', 'Amazon EBS pricing', LIST),
  snapshot: price(0.05, 'GB and month of a snapshot', 'Amazon EBS pricing', CALCULATED),
  natGateway: price(0.045, 'hour, and GB', 'Amazon VPC pricing, "NAT gateway"', CALCULATED),
  interfaceEndpoint: price(0.01, 'hour and zone, and GB', 'AWS PrivateLink pricing', CALCULATED),
  loadBalancer: price(0.0225, 'hour', 'Elastic Load Balancing pricing, "Network Load Balancer"', CALCULATED),
  loadBalancerUnit: price(0.006, 'hour of a capacity unit, which is a GB an hour', 'Elastic Load Balancing pricing, "Network Load Balancer"', CALCULATED),
  networkFirewall: price(0.395, 'hour of an endpoint', 'AWS Network Firewall pricing', CALCULATED),
  networkFirewallGigabyte: price(0.065, 'GB', 'AWS Network Firewall pricing', CALCULATED),
  efsStored: price(0.3, 'GB and month in Standard', 'Amazon EFS pricing', CALCULATED),
  efsStoredInfrequent: price(0.025, 'GB and month in Infrequent Access, where files go after 30 days unread', 'Amazon EFS pricing', CALCULATED),
  efsBackup: price(0.05, 'GB and month of a backup', 'AWS Backup pricing', 'not confirmed for this region; N. California: 0.06'),
  efsElasticWrite: price(0.06, 'GB written with elastic throughput', 'Amazon EFS pricing', COPY),
  efsElasticRead: price(0.03, 'GB read with elastic throughput', 'Amazon EFS pricing', COPY),
  s3Stored: price(0.023, 'GB and month', 'Amazon S3 pricing', LIST),
  s3Put: price(0.005 / 1000, 'PUT, COPY or LIST request', 'Amazon S3 pricing', LIST),
  s3Get: price(0.0004 / 1000, 'GET request', 'Amazon S3 pricing', LIST),
  malwareScan: price(0.09, 'GB', 'Amazon GuardDuty pricing, "Malware Protection for S3"', EXAMPLES),
  malwareScanObject: price(0.215 / 1000, 'object', 'Amazon GuardDuty pricing, "Malware Protection for S3"', EXAMPLES),
  key: price(1, 'month, and 1 more after each of the first two rotations', 'AWS KMS pricing', `${CALCULATED}; the rotations: ${COPY}`),
  secret: price(0.4, 'secret and month', 'AWS Secrets Manager pricing', CALCULATED),
  metric: price(0.3, 'custom metric and month, by the hours in which it has values', 'Amazon CloudWatch pricing', COPY),
  alarm: price(0.1, 'metric of an alarm and month', 'Amazon CloudWatch pricing', CALCULATED),
  compositeAlarm: price(0.5, 'composite alarm and month', 'Amazon CloudWatch pricing', COPY),
  dashboard: price(3, 'dashboard and month', 'Amazon CloudWatch pricing', CALCULATED),
  logs: price(0.5, 'GB taken in', 'Amazon CloudWatch pricing', CALCULATED),
  logsStored: price(0.03, 'GB and month, compressed', 'Amazon CloudWatch pricing', CALCULATED),
  firehose: price(0.029, 'GB taken in, in steps of 5 KB a record', 'Amazon Data Firehose pricing', QUOTED),
  firehoseConversion: price(0.018, 'GB converted to Parquet', 'Amazon Data Firehose pricing', QUOTED),
  athena: price(5, 'TB read by a query', 'Amazon Athena pricing', QUOTED),
  certificateName: price(7, 'name of an exportable certificate, at issue and at each renewal', 'AWS Certificate Manager pricing', COPY),
  certificateWildcard: price(79, 'wildcard name of an exportable certificate, at issue and at each renewal', 'AWS Certificate Manager pricing', COPY),
  privateAuthority: price(400, 'authority and month', 'AWS Private CA pricing, "general-purpose mode"', CALCULATED),
  shortLivedAuthority: price(50, 'authority and month', 'AWS Private CA pricing, "short-lived certificate mode"', CALCULATED),
  hostedZone: price(0.5, 'hosted zone and month', 'Amazon Route 53 pricing', CALCULATED),
  healthCheck: price(0.5, 'health check and month', 'Amazon Route 53 pricing, "Health checks"', QUOTED),
  lambda: price(0.0000133334, 'GB-second on arm64, and 0.20 a million requests', 'AWS Lambda pricing', CALCULATED),
  dynamoWrite: price(0.625 / 1_000_000, 'write on demand', 'Amazon DynamoDB pricing', `${CALCULATED}, for US East (Ohio)`),
  queue: price(0.4 / 1_000_000, 'request', 'Amazon SQS pricing', CALCULATED),
  buildMinute: price(0.005, 'minute of a small build machine', 'AWS CodeBuild pricing', CALCULATED),
  pipeline: price(1, 'active pipeline and month', 'AWS CodePipeline pricing, "V1"', COPY),
  inspector: price(1.2528, 'instance and month, where Amazon Inspector is switched on', 'Amazon Inspector pricing', QUOTED),
  internetOut: price(0.09, 'GB to the internet', 'Amazon EC2 On-Demand Pricing, "Data Transfer"', LIST),
  transferFamilyProtocol: price(0.3, 'hour of a protocol of an endpoint', 'AWS Transfer Family pricing', CALCULATED),
  transferFamilyGigabyte: price(0.04, 'GB up or down', 'AWS Transfer Family pricing', CALCULATED),
} as const satisfies Readonly<Record<string, Price>>;

/** Days for which ACM issues a public certificate, and how long before its end it renews it (ACM user guide, "Managed certificate renewal"). */
export const certificateDays = { validity: 198, renewedBefore: 45 } as const;
