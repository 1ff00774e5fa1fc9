/** The table that Athena reads the archive of the audit by: a column for each attribute of the server's lines, a partition a day. */
import { Stack } from 'aws-cdk-lib';
import { CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { auditColumns } from './audit-columns';

/** Below which the lines lie as Parquet. */
export const PARQUET = 'audit';
export const TABLE = 'audit';

/** Athena reads partitions by projection, so that no crawler and nobody has to add a day. */
export function auditTable(scope: Construct, bucket: IBucket, databaseName: string): CfnTable {
  const catalogId = Stack.of(scope).account;
  const database = new CfnDatabase(scope, 'Database', { catalogId, databaseInput: { name: databaseName, description: 'Audit of an FTPS service' } });
  const location = `s3://${bucket.bucketName}/${PARQUET}/`;
  const table = new CfnTable(scope, 'Table', {
    catalogId,
    databaseName,
    tableInput: {
      name: TABLE,
      description: 'One row per event, in the classes of OCSF',
      tableType: 'EXTERNAL_TABLE',
      partitionKeys: [{ name: 'day', type: 'string', comment: 'Day of arrival, yyyy-MM-dd, UTC' }],
      parameters: {
        classification: 'parquet',
        'projection.enabled': 'true',
        'projection.day.type': 'date',
        'projection.day.format': 'yyyy-MM-dd',
        'projection.day.range': '2026-01-01,NOW+1DAYS',
        'storage.location.template': `${location}day=\${day}/`,
      },
      storageDescriptor: {
        columns: auditColumns().map(({ name, type, comment }) => ({ name, type, comment })),
        location,
        inputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
        outputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
        serdeInfo: { serializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
      },
    },
  });
  table.addResourceDependency(database);
  return table;
}
