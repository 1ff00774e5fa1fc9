/**
 * Sends the audit to Amazon Security Lake, whose classes the lines have already: Firehose writes them as Parquet below the prefix of a
 * custom source for each class (Security Lake user guide, "Collecting data from custom sources"). The sources themselves are registered
 * by whoever owns the lake, often in another account; see docs/logs.md.
 */

import { Duration, Size, Stack } from 'aws-cdk-lib';
import {
  CloudWatchLogProcessor,
  DecompressionProcessor,
  DeliveryStream,
  EnableLogging,
  MetadataExtractionProcessor,
  OpenXJsonInputFormat,
  ParquetCompression,
  ParquetOutputFormat,
  RecordDeAggregationProcessor,
  S3Bucket,
  SchemaConfiguration,
  StreamEncryption,
} from 'aws-cdk-lib/aws-kinesisfirehose';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { FilterPattern } from 'aws-cdk-lib/aws-logs';
import { FirehoseDestination } from 'aws-cdk-lib/aws-logs-destinations';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledgeRegulations, OWN_ROLE } from '../compliance/acknowledge';
import { encryptBelow } from '../encryption/given-key';
import { refuseUnknownProps } from '../known-props';
import type { AuditLog } from './audit-log';
import { leaveOutFirehoseAddresses } from './firehose-addresses';
import { encryptOnItsWay } from './firehose-key';
import { firehoseRole } from './firehose-role';

/** What `SecurityLakeDelivery` is told. */
export interface SecurityLakeDeliveryProps {
  /** The audit, which must have an archive: its table says how lines become Parquet. */
  readonly auditLog: AuditLog;
  /** Bucket of the lake in this region, `aws-security-data-lake-REGION-…`. */
  readonly lakeBucket: IBucket;
  /**
   * What the names of the sources begin with; the class follows, `ftps-4008` for FTP Activity. At most 15 characters, as Security Lake takes 20.
   * @default ftps
   */
  readonly sourcePrefix?: string;
  /**
   * Version of the sources.
   * @default 1.0
   */
  readonly sourceVersion?: string;
  /**
   * Key that encrypts lines on their way; in the lake, they are encrypted as the lake is.
   * @default - the one of what it lies in, or that of Firehose
   */
  readonly encryptionKey?: IKey;
}

/** Delivers the audit to a custom source of Amazon Security Lake, as Parquet in OCSF. */
export class SecurityLakeDelivery extends Construct {
  /** Carries the audit to the lake. */
  public readonly deliveryStream: DeliveryStream;
  /** Names of the sources that the lake has to have, one for each class. */
  public readonly sourceNames: string[];

  constructor(scope: Construct, id: string, props: SecurityLakeDeliveryProps) {
    super(scope, id);
    refuseUnknownProps(props, 'SecurityLakeDeliveryProps');
    encryptBelow(this, props.encryptionKey);
    const { auditLog, lakeBucket, sourcePrefix = 'ftps', sourceVersion = '1.0' } = props;
    if (!auditLog.archive) throw new Error('auditLog: has no archive, whose table says how lines become Parquet; set archiveRetention to a day or more');
    if (!/^[a-z][a-z0-9_-]{0,14}$/i.test(sourcePrefix)) throw new Error(`sourcePrefix: "${sourcePrefix}" is not 1 to 15 letters, digits, - and _`);
    this.sourceNames = CLASSES.map((one) => `${sourcePrefix}-${one}`);
    const { region, account } = Stack.of(this);
    const errors = auditLog.addGroup(`${id}Errors`);
    const { table, databaseName, tableName } = auditLog.archive;
    const role = firehoseRole(this, 'Role', {
      description: 'Writes the FTPS audit into Security Lake',
      bucket: lakeBucket,
      key: lakeBucket.encryptionKey,
      table,
      databaseName,
      tableName,
      errorGroups: [errors],
    });
    this.deliveryStream = new DeliveryStream(this, 'Stream', {
      encryption: StreamEncryption.awsOwnedKey(),
      destination: new S3Bucket(lakeBucket, {
        role: role.withoutPolicyUpdates(),
        processors: [
          new DecompressionProcessor(),
          new CloudWatchLogProcessor({ dataMessageExtraction: true }),
          RecordDeAggregationProcessor.json(),
          MetadataExtractionProcessor.jq16({ class_uid: '.class_uid' }),
        ],
        dynamicPartitioning: { enabled: true },
        dataFormatConversion: {
          schemaConfiguration: SchemaConfiguration.fromCfnTable(table),
          inputFormat: new OpenXJsonInputFormat(),
          outputFormat: new ParquetOutputFormat({ compression: ParquetCompression.GZIP }),
        },
        dataOutputPrefix: `ext/${sourcePrefix}-!{partitionKeyFromQuery:class_uid}/${sourceVersion}/region=${region}/accountId=${account}/eventDay=!{timestamp:yyyyMMdd}/`,
        errorOutputPrefix: `ext/${sourcePrefix}-failed/!{firehose:error-output-type}/!{timestamp:yyyyMMdd}/`,
        bufferingInterval: Duration.minutes(5),
        bufferingSize: Size.mebibytes(64),
        loggingConfig: new EnableLogging(errors),
      }),
    });
    leaveOutFirehoseAddresses(this);
    encryptOnItsWay(this.deliveryStream);
    this.deliveryStream.node.addDependency(role);
    const subscription = auditLog.auditGroup.addSubscriptionFilter('ToSecurityLake', {
      destination: new FirehoseDestination(this.deliveryStream),
      filterPattern: FilterPattern.allEvents(),
    });
    acknowledgeRegulations(subscription, 'IAMNoInlinePolicy', OWN_ROLE);
  }
}

/** Classes of the lines: Authentication, Network Activity, HTTP Activity, FTP Activity, Application Lifecycle. */
const CLASSES = [3002, 4001, 4002, 4007, 4008, 6002];
