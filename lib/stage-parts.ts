/** What an environment takes from elsewhere, where the kit would make its own: a company's network, bucket, certificate, topic. */
import type { Stack } from 'aws-cdk-lib';
import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { As2Keys } from './as2/keys';
import type { ClientTrust } from './certificate/client-trust';
import type { ServerCertificate } from './certificate/server-certificate';
import type { IFtpsEndpoint } from './endpoint/endpoint';
import type { IFtpsAccounts } from './identity/accounts';
import type { TokenIssuer } from './identity/token-issuer';
import type { AuditLog } from './logs/audit-log';
import type { HostKeys } from './sftp/host-keys';
import type { IFileStorage } from './storage/file-storage';
import type { UploadWebhook } from './storage/upload-webhook';

/**
 * Made by the methods of a class of yours: override those whose part you bring, and leave out the others. Each gets the stack in which the part belongs, that of
 * the data or that of the service, and is called once for each environment.
 */
export class FtpsStageParts {
  /**
   * One key for everything that is encrypted, in place of a new one for each part. Parts that you bring are told theirs. A file system in EFS that is
   * deployed takes no other key: bring it as `storage` with the key that it has.
   */
  public encryptionKey(_dataStack: Stack): IKey | undefined {
    return undefined;
  }

  /** The network, in place of a new `ServiceNetwork`. Say `vpcSubnets` in the settings where instances lie in other than public subnets. */
  public vpc(_dataStack: Stack): IVpc | undefined {
    return undefined;
  }

  /** Where the files are, in place of a new EFS or S3. */
  public storage(_dataStack: Stack, _vpc: IVpc): IFileStorage | undefined {
    return undefined;
  }

  /** Who may log in, in place of new accounts in Secrets Manager. */
  public accounts(_dataStack: Stack): IFtpsAccounts | undefined {
    return undefined;
  }

  /** Where the audit goes, in place of new log groups and a new archive. */
  public auditLog(_dataStack: Stack): AuditLog | undefined {
    return undefined;
  }

  /** Who is told of alarms, in place of a new topic. */
  public alarmTopic(_dataStack: Stack): ITopic | undefined {
    return undefined;
  }

  /** Where partners connect, in place of new addresses or a new load balancer. Addresses that must outlive a mistake belong into the stack of the data. */
  public endpoint(_dataStack: Stack, _serviceStack: Stack, _vpc: IVpc): IFtpsEndpoint | undefined {
    return undefined;
  }

  /** The zone of the host name, in place of the one that the settings name. */
  public hostedZone(_serviceStack: Stack): IHostedZone | undefined {
    return undefined;
  }

  /** Keys by which clients of SFTP know the service, in place of new ones that are made once; asked for where SFTP is on (`server.sftp`). */
  public hostKeys(_dataStack: Stack): HostKeys | undefined {
    return undefined;
  }

  /** Keys that messages of AS2 are signed and decrypted by, in place of new ones that are made and changed in time; asked for where AS2 is on (`server.as2`). */
  public as2Keys(_dataStack: Stack): As2Keys | undefined {
    return undefined;
  }

  /** Endpoints that are told of every upload, with the secrets that sign; none unless given. */
  public webhooks(_serviceStack: Stack): UploadWebhook[] | undefined {
    return undefined;
  }

  /** Issuers of tokens whose sign-in has a secret, beside those of `server.https.issuers`, which have none; asked for where HTTPS is on. */
  public issuers(_serviceStack: Stack): TokenIssuer[] | undefined {
    return undefined;
  }

  /** The certificate, in place of a new one of ACM. */
  public certificate(_serviceStack: Stack): ServerCertificate | undefined {
    return undefined;
  }

  /** The authorities whose client certificates are taken; none unless given. */
  public clientTrust(_serviceStack: Stack): ClientTrust | undefined {
    return undefined;
  }
}
