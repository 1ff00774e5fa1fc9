/** Tells the instances to look at their certificate now, by the one Systems Manager document that does this and nothing else. */
import { SendCommandCommand, type SSMClient } from '@aws-sdk/client-ssm';

export interface ReloadTarget {
  /** Name of the document. */
  readonly document: string;
  /** Tag of the instances, `key=value`. */
  readonly tag: string;
}

export async function pushReload(ssm: SSMClient, { document, tag }: ReloadTarget): Promise<void> {
  const [key, value] = [tag.slice(0, tag.indexOf('=')), tag.slice(tag.indexOf('=') + 1)];
  await ssm.send(new SendCommandCommand({ DocumentName: document, Targets: [{ Key: `tag:${key}`, Values: [value] }], TimeoutSeconds: 60 }));
}
