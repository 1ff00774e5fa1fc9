/** What is accepted of the findings of cdk-nag, read from the constructs; docs/compliance.md lists it. */
import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** A reason, and what it is the reason for. */
export interface Accepted {
  readonly reason: string;
  /** Rules without their pack: `IAMNoInlinePolicy`, `IAM5`. */
  readonly rules: readonly string[];
  /** Constructs, as paths below their app. */
  readonly where: readonly string[];
}

/** Every acknowledgement in the tree, one entry for each reason, in the order of their rules. */
export function acceptedIn(root: IConstruct): Accepted[] {
  const byReason = new Map<string, { rules: Set<string>; where: Set<string> }>();
  for (const construct of root.node.findAll())
    for (const { type, data } of construct.node.metadata) {
      if (type !== Validations.ACKNOWLEDGED_RULES_METADATA_KEY) continue;
      for (const [id, reason] of Object.entries(data as Record<string, string>)) {
        if (id.startsWith('CloudFormation-Validate')) continue; // what aws-cdk-lib accepts of its own check
        const entry = byReason.get(reason) ?? { rules: new Set(), where: new Set() };
        byReason.set(reason, entry);
        entry.rules.add(ruleOf(id));
        entry.where.add(construct.node.path);
      }
    }
  return [...byReason]
    .map(([reason, { rules, where }]) => ({ reason, rules: [...rules].sort(), where: [...where].sort() }))
    .sort((one, other) => one.rules.join().localeCompare(other.rules.join()) || one.reason.localeCompare(other.reason));
}

/** `Annotation::NIST.800.53.R5-IAMNoInlinePolicy` is IAMNoInlinePolicy, `AwsSolutions-IAM5[Action::s3:List*]` is IAM5. */
function ruleOf(id: string): string {
  return id
    .replace(/^annotation::/i, '')
    .replace(/\[.*$/s, '')
    .replace(/^(AwsSolutions|HIPAA\.Security|NIST\.800\.53\.R5|PCI\.DSS\.321)-/, '');
}
