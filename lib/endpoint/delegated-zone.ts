/** A zone of this account whose parent lies in another: made here, and delegated there. */

import { Stack } from 'aws-cdk-lib';
import { Role } from 'aws-cdk-lib/aws-iam';
import { CrossAccountZoneDelegationRecord, PublicHostedZone } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import { acknowledgeRegulations, OWN_ROLE } from '../compliance/acknowledge';
import { refuseUnknownProps } from '../known-props';

/** What `DelegatedZone` is told. */
export interface DelegatedZoneProps {
  /** The zone of the host name, `ftps.example.com` for example; the host name may be the zone itself. */
  readonly zoneName: string;
  /** The zone in the other account, `example.com` for example. */
  readonly parentZoneName: string;
  /**
   * Role of the other account that may record the name servers there: `PublicHostedZone.grantDelegation` (Amazon Route 53 developer guide,
   * "Creating a subdomain that uses Amazon Route 53 as the DNS service without migrating the parent domain").
   */
  readonly delegationRoleArn: string;
}

/**
 * Certificate and addresses are recorded in `zone`, in this account, so that nothing here but the deployment ever reaches into the other
 * account, and there it may change one record.
 */
export class DelegatedZone extends Construct {
  /** Give it to `FtpsService` as `hostedZone`. */
  public readonly zone: PublicHostedZone;

  constructor(scope: Construct, id: string, props: DelegatedZoneProps) {
    super(scope, id);
    refuseUnknownProps(props, 'DelegatedZoneProps');
    const { zoneName, parentZoneName, delegationRoleArn } = props;
    if (!zoneName.endsWith(`.${parentZoneName}`))
      throw new Error(`zoneName: "${zoneName}" does not lie in "${parentZoneName}"; write it as ftps.${parentZoneName}`);
    acknowledgeRegulations(this, 'IAMNoInlinePolicy', OWN_ROLE);
    this.zone = new PublicHostedZone(this, 'Zone', { zoneName, caaAmazon: true });
    new CrossAccountZoneDelegationRecord(this, 'Delegation', {
      delegatedZone: this.zone,
      parentHostedZoneName: parentZoneName,
      delegationRole: Role.fromRoleArn(this, 'Role', delegationRoleArn, { mutable: false }),
      assumeRoleRegion: Stack.of(this).region,
    });
  }
}
