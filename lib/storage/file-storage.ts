/** Where files live: an EFS file system that every instance shares, or the disk of a single instance. */
import { RemovalPolicy } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { type IConnectable, type IVpc, SecurityGroup, type SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { FileSystem, LifecyclePolicy, PerformanceMode, ThroughputMode } from 'aws-cdk-lib/aws-efs';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { ServerConfigInput } from '../../server/config';
import { acknowledge } from '../compliance/acknowledge';

/** Folder of an instance in which the homes lie. */
export const STORAGE_ROOT = '/srv/ftps';

/** What `FileStorage.efs` is told. */
export interface EfsStorageProps {
  /** Network of the mount targets. */
  readonly vpc: IVpc;
  /**
   * Subnets of the mount targets.
   * @default - one per availability zone
   */
  readonly vpcSubnets?: SubnetSelection;
  /**
   * What happens to the files when the stack is deleted.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** What the server is told about a storage. */
export interface StorageSettings {
  readonly storage: ServerConfigInput['storage'];
  /** Whether somebody else scans uploads, so that the scanner of the instances does not. */
  readonly scannedElsewhere: boolean;
  /** Bus that the server tells of every upload that became visible. */
  readonly eventBus?: string;
}

/** Storage of a service: `FileStorage.efs`, `FileStorage.localDisk` or an `S3Storage`. */
export abstract class FileStorage extends Construct {
  /** An encrypted, backed-up EFS file system, mounted by all instances over TLS with their IAM role. */
  public static efs(scope: Construct, id: string, props: EfsStorageProps): FileStorage {
    return new EfsStorage(scope, id, props);
  }

  /** The encrypted disk of the instance: for a single instance whose files are fetched soon. A replaced instance begins empty. */
  public static localDisk(scope: Construct, id: string): FileStorage {
    return new DiskStorage(scope, id);
  }

  /** One line for people. */
  public abstract readonly description: string;
  /** Whether several instances see the same files. */
  public abstract readonly isShared: boolean;
  /** Shell lines that make the storage available at `/srv/ftps` when an instance starts. */
  public abstract readonly mountCommands: string[];

  /** @internal */
  public abstract readonly _settings: StorageSettings;

  /** Allows reading and writing files. */
  public abstract grantReadWrite(grantee: IGrantable): void;
  /** Lets every alarm of the storage do something when it begins and when it ends. */
  public addAlarmAction(_action: IAlarmAction): void {
    // A file system has none of its own.
  }

  /** Allows the instances to reach the storage. */
  public abstract allowFrom(instances: IConnectable): void;
}

const ON_INSTANCE: StorageSettings = { storage: { kind: 'local', root: STORAGE_ROOT }, scannedElsewhere: false };

class EfsStorage extends FileStorage {
  public readonly description = 'EFS, encrypted, backed up';
  public readonly isShared = true;
  /** @internal */
  public readonly _settings = ON_INSTANCE;
  public readonly mountCommands: string[];
  private readonly fileSystem: FileSystem;
  private readonly group: SecurityGroup;

  constructor(scope: Construct, id: string, { vpc, vpcSubnets, removalPolicy = RemovalPolicy.RETAIN }: EfsStorageProps) {
    super(scope, id);
    const kmsKey = new Key(this, 'Key', { description: 'FTPS files', enableKeyRotation: true, removalPolicy });
    this.group = new SecurityGroup(this, 'SecurityGroup', { vpc, description: 'FTPS files: NFS from the instances', allowAllOutbound: false });
    this.fileSystem = new FileSystem(this, 'Resource', {
      vpc,
      vpcSubnets,
      securityGroup: this.group,
      encrypted: true,
      kmsKey,
      enableAutomaticBackups: true,
      performanceMode: PerformanceMode.GENERAL_PURPOSE,
      throughputMode: ThroughputMode.ELASTIC,
      lifecyclePolicy: LifecyclePolicy.AFTER_30_DAYS,
      allowAnonymousAccess: false,
      removalPolicy,
    });
    for (const pack of ['HIPAA.Security', 'NIST.800.53.R5'])
      acknowledge(
        this.fileSystem,
        `${pack}-EFSInBackupPlan`,
        'BackupPolicy ENABLED puts the file system into the plan of AWS Backup for EFS: daily, kept for 35 days (EFS user guide, "Automatic backups").',
      );
    this.mountCommands = [
      `mountpoint -q ${STORAGE_ROOT} || mount -t efs -o tls,iam,nodev,nosuid,noexec ${this.fileSystem.fileSystemId}:/ ${STORAGE_ROOT}`,
      `grep -q '${STORAGE_ROOT} efs' /etc/fstab || echo '${this.fileSystem.fileSystemId}:/ ${STORAGE_ROOT} efs _netdev,tls,iam,nodev,nosuid,noexec 0 0' >> /etc/fstab`,
      `chown ftps:ftps ${STORAGE_ROOT} && chmod 0750 ${STORAGE_ROOT}`,
    ];
  }

  public grantReadWrite(grantee: IGrantable): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite', 'elasticfilesystem:ClientRootAccess'],
        resources: [this.fileSystem.fileSystemArn],
        // Only through mount targets, that is from within the VPC (EFS user guide, "Using IAM to control file system data access").
        conditions: { Bool: { 'elasticfilesystem:AccessedViaMountTarget': 'true' } },
      }),
    );
  }

  public allowFrom(instances: IConnectable): void {
    // Said from the side of the instances, so that the rule lies in their stack and the files depend on nothing.
    instances.connections.allowToDefaultPort(this.fileSystem, 'NFS from the FTPS instances');
  }
}

class DiskStorage extends FileStorage {
  public readonly description = 'disk of the instance, encrypted';
  public readonly isShared = false;
  /** @internal */
  public readonly _settings = ON_INSTANCE;
  public readonly mountCommands = [`install -d -o ftps -g ftps -m 0750 ${STORAGE_ROOT}`];

  public grantReadWrite(): void {
    // A disk needs no permission.
  }

  public allowFrom(): void {
    // A disk needs no network.
  }
}
