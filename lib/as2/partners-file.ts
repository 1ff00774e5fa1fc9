/**
 * Partners on their way to the instances. Each is long, with its certificates, and user data is short: they lie in a file of the assets, and an instance
 * puts them into its settings when it starts.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Annotations, Stack, Stage } from 'aws-cdk-lib';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import type { As2Partner, ServerConfig } from '../../server/config';
import { digest } from '../digest';
import { readingOf } from '../encryption/assets';
import { granted } from '../grants';
import { endingSoon } from './partner-settings';

/** The file of the partners in these settings, where there are any; tells whoever deploys of certificates that end soon. */
export function partnersFileOf(scope: Construct, id: string, { as2 }: ServerConfig): PartnersFile | undefined {
  const partners = as2?.partners ?? [];
  const file = partners.length > 0 ? new PartnersFile(scope, id, partners) : undefined;
  for (const words of endingSoon(partners)) Annotations.of(scope).addWarningV2('cdk-ftps:as2-certificate', words);
  return file;
}

export class PartnersFile {
  private readonly asset: Asset;

  constructor(
    private readonly scope: Construct,
    id: string,
    partners: readonly As2Partner[],
  ) {
    const text = JSON.stringify(partners);
    // In the assembly, so that nothing of it is left elsewhere.
    const path = join(Stage.of(scope)!.outdir, `as2-partners-${digest(text)}.json`);
    writeFileSync(path, text);
    this.asset = new Asset(scope, id, { path });
  }

  /** Allows reading it, and nothing else of its bucket. */
  grantRead(grantee: IGrantable): void {
    granted(grantee, ...readingOf(this.asset));
  }

  /** Lines of the start script, after the one that writes the settings. */
  startCommands(): string[] {
    const { s3BucketName, s3ObjectKey } = this.asset;
    return [
      `aws s3 cp --only-show-errors --region ${Stack.of(this.scope).region} 's3://${s3BucketName}/${s3ObjectKey}' /etc/ftps/as2-partners.json`,
      `node-24 -e 'const fs = require("fs"), f = "/etc/ftps/server.json", c = JSON.parse(fs.readFileSync(f)); c.as2.partners = JSON.parse(fs.readFileSync("/etc/ftps/as2-partners.json")); fs.writeFileSync(f, JSON.stringify(c))'`,
    ];
  }
}
