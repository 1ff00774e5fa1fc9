/** What keeping the records of one name takes, and no more. */
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';

export function recordPermissions(hostedZone: IHostedZone, domainName: string): PolicyStatement[] {
  return [
    new PolicyStatement({ actions: ['route53:ListResourceRecordSets'], resources: [hostedZone.hostedZoneArn] }),
    new PolicyStatement({
      actions: ['route53:ChangeResourceRecordSets'],
      resources: [hostedZone.hostedZoneArn],
      conditions: {
        'ForAllValues:StringEquals': {
          'route53:ChangeResourceRecordSetsNormalizedRecordNames': [domainName.toLowerCase()],
          'route53:ChangeResourceRecordSetsRecordTypes': ['A', 'AAAA'],
        },
      },
    }),
  ];
}
