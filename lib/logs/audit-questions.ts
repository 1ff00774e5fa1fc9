/** Where Athena is asked about the audit: a workgroup, and the questions that are saved in it. */
import { CfnNamedQuery, CfnPreparedStatement, CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { stableName } from '../names';
import { type AuditQuery, withExamples } from './audit-queries';

export class AuditQuestions {
  /** Of the workgroup. */
  readonly name: string;
  private readonly workGroup: CfnWorkGroup;

  /** `results`: where answers are kept, encrypted by `key`. */
  constructor(
    private readonly scope: Construct,
    private readonly databaseName: string,
    { results, key }: { readonly results: IBucket; readonly key: IKey },
  ) {
    this.name = stableName(scope).replaceAll(/[^A-Za-z0-9]+/g, '-');
    this.workGroup = new CfnWorkGroup(scope, 'WorkGroup', {
      name: this.name,
      description: 'Questions to the FTPS audit',
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
        resultConfiguration: {
          outputLocation: `s3://${results.bucketName}/`,
          encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKey: key.keyArn },
        },
      },
    });
  }

  /** As text to be edited, and as a statement with places for values. */
  save(query: AuditQuery): void {
    const saved = new CfnNamedQuery(this.scope, `Query-${query.name}`, {
      name: query.name,
      description: query.description,
      database: this.databaseName,
      workGroup: this.name,
      queryString: withExamples(query),
    });
    const prepared = new CfnPreparedStatement(this.scope, `Statement-${query.name}`, {
      statementName: query.name.replaceAll('-', '_'),
      description: `${query.description}. Values: ${query.values.map((value) => value.name).join(', ')}`,
      workGroup: this.name,
      queryStatement: query.sql,
    });
    for (const one of [saved, prepared]) one.addResourceDependency(this.workGroup);
  }
}
