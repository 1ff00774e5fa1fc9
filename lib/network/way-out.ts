/** What instances ask beside AWS and can't reach from subnets without a way to the internet. */
import { Annotations, Token } from 'aws-cdk-lib';
import type { IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { ServerConfig } from '../../server/config';

/** Where instances are. */
export interface Place {
  readonly vpc: IVpc;
  readonly vpcSubnets: SubnetSelection;
  /** Whether they have public addresses, without which a public subnet leads nowhere. */
  readonly publicAddress: boolean;
}

type Asking = Pick<ServerConfig, 'afterRelease' | 'https' | 'as2' | 'antivirus'>;

/** Says at synthesis what would not be reached, and what is missing. */
export function warnOfMissingWayOut(scope: Construct, place: Place, config: Asking): void {
  const words = missingWayOut(place, config);
  if (words !== undefined) Annotations.of(scope).addWarningV2('cdk-ftps:no-way-out', words);
}

/** Undefined where nothing is known to be missing. */
function missingWayOut({ vpc, vpcSubnets, publicAddress }: Place, config: Asking): string | undefined {
  const asked = askedOutside(config);
  const closed = new Set(publicAddress ? vpc.isolatedSubnets : [...vpc.isolatedSubnets, ...vpc.publicSubnets]);
  const without = vpc.selectSubnets(vpcSubnets).subnets.filter((subnet) => closed.has(subnet));
  if (asked.length === 0 || without.length === 0) return undefined;
  const isolated = without.some((subnet) => vpc.isolatedSubnets.includes(subnet));
  const missing = isolated ? 'are isolated: no NAT gateway stands behind them' : 'are public, and the endpoint gives the instances no public addresses';
  return `The subnets of the instances (${without.map(({ node }) => node.path).join(', ')}) ${missing}. From there nobody reaches ${asked.join('; ')}. Choose subnets with a NAT gateway by vpcSubnets (SubnetType.PRIVATE_WITH_EGRESS); where a way of yours leads out, a transit gateway for example or a proxy that is routed to, acknowledge this warning.`;
}

/** What lies in networks that were named is within reach of whoever named them. */
function askedOutside({ afterRelease, https, as2, antivirus }: Asking): string[] {
  return [
    ...afterRelease.webhooks.flatMap(({ url, networks }, index) => (networks.length > 0 ? [] : [`webhooks[${index}]${at(url)}, which hears of no upload`])),
    ...(https?.issuers ?? []).map(({ issuer }, index) => `server.https.issuers[${index}]${at(issuer)}, whose tokens are answered 503`),
    ...(as2?.partners ?? []).flatMap(({ url }, index) => (url === undefined ? [] : [`server.as2.agreements[${index}].partner${at(url)}, who gets no message`])),
    ...(antivirus.kind === 'clamd' ? ['the signatures of the scanner (server.virusScan), without which uploads are refused or not looked at'] : []),
  ];
}

function at(url: string): string {
  return Token.isUnresolved(url) ? '' : ` (${new URL(url).host})`;
}
