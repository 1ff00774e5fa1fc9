/** Findings of cdk-nag that are accepted, each for one construct and with its reason. */
import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Accepts one finding on one construct. `id` is the rule, with the finding in brackets where the rule has several. */
export function acknowledge(construct: IConstruct, id: string, reason: string): void {
  Validations.of(construct).acknowledge({ id, reason });
}

/** Accepts one finding on one construct, in each of the packs that are for a regulation. */
export function acknowledgeRegulations(construct: IConstruct, rule: string, reason: string): void {
  for (const pack of ['HIPAA.Security', 'NIST.800.53.R5', 'PCI.DSS.321']) acknowledge(construct, `${pack}-${rule}`, reason);
}

/** A value with tokens in the words of a finding: `arn:<AWS::Partition>:s3:::<Bucket.Arn>/*`. */
export function inFinding(construct: IConstruct, value: string): string {
  return flat(Stack.of(construct).resolve(value));
}

function flat(value: unknown): string {
  if (typeof value === 'string') return value.replaceAll(/\$\{([^}]+)\}/g, '<$1>');
  const [[intrinsic, argument] = []] = Object.entries(value as Record<string, unknown>);
  switch (intrinsic) {
    case 'Ref':
      return `<${String(argument)}>`;
    case 'Fn::GetAtt':
      return `<${(argument as string[]).join('.')}>`;
    case 'Fn::Sub':
      return flat(argument);
    case 'Fn::Join': {
      const [separator, parts] = argument as [string, unknown[]];
      return parts.map(flat).join(separator);
    }
    default:
      throw new Error(`a finding can't be named by ${String(intrinsic)}`);
  }
}
