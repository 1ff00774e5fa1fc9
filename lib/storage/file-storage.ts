/** Where files live: an EFS file system that every instance shares, or the disk of a single instance. */

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IAlarmAction, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { type IConnectable, type IVpc, SecurityGroup, type SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { FileSystem, type IAccessPoint, type IFileSystem, LifecyclePolicy, PerformanceMode, ThroughputMode } from 'aws-cdk-lib/aws-efs';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import { Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct, type IConstruct } from 'constructs';
import { acknowledge, acknowledgeRegulations } from '../compliance/acknowledge';
import { encryptBelow, keyFor } from '../encryption/given-key';
import { letRolesUse } from '../encryption/key-policy';
import { granted } from '../grants';
import { refuseUnknownProps } from '../known-props';

/** Folder of an instance in which the homes lie. */
const STORAGE_ROOT = '/srv/ftps';

/** How fast an EFS file system is, and what moving a GB costs (EFS user guide, "Throughput modes"). */
export enum FileThroughput {
  /**
   * Moving files costs nothing. For good, all instances together may write 50 KiB a second for each GiB that is stored and was read within 30 days, and 1 MiB a
   * second at least; reads count a third. What is not used is saved up, to 2.1 TiB, with which a file system begins, and is spent at up to 100 MiB a second.
   */
  BURSTING = 'bursting',
  /** As fast as it is asked for, up to GiB a second. Each GB written costs 0.06 USD, each read 0.03 (US East). */
  ELASTIC = 'elastic',
}

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
   * How fast files are, and whether moving them costs.
   * @default FileThroughput.BURSTING
   */
  readonly throughput?: FileThroughput;
  /**
   * What happens to the files when the stack is deleted.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * Key that encrypts the files. EFS takes no other key later: a file system that has one already is replaced by a new, empty one beside
   * it. To leave files where they are, give the key that they have.
   * @default - the one of what it lies in, or a new one
   */
  readonly encryptionKey?: IKey;
}

/** What `FileStorage.fromFileSystem` is told. */
export interface ExistingFileSystemProps {
  /**
   * Folder of the file system in which the homes lie. It must be there; the server becomes its owner.
   * @default - the whole file system, or what the access point shows
   */
  readonly path?: string;
  /**
   * Access point of the file system: what it shows is what accounts see, and its user owns what they write.
   * @default - none
   */
  readonly accessPoint?: IAccessPoint;
}

/** What the server is told about a storage. */
export interface StorageSettings {
  /** Its key `storage`, as the settings reference has it: `{ kind: 'local', root: '/srv/ftps' }` for whatever is mounted there. */
  readonly storage: { readonly [key: string]: unknown };
  /** Whether somebody else scans uploads, so that the scanner of the instances does not. */
  readonly scannedElsewhere: boolean;
  /**
   * ARN of the bus that the server tells of every upload that became visible.
   * @default - none
   */
  readonly eventBus?: string;
}

/** Where the files of a service are. `FileStorage.efs`, `.fromFileSystem`, `.localDisk` and `S3Storage` are; one of your own may extend `FileStorage`. */
export interface IFileStorage extends IConstruct {
  /** One line for people. */
  readonly description: string;
  /** Whether several instances see the same files. */
  readonly isShared: boolean;
  /** Shell lines that make the storage available at `/srv/ftps` when an instance starts; none where the server reaches it by itself. */
  readonly mountCommands: string[];
  /** What the server is told. */
  readonly settings: StorageSettings;
  /**
   * The bus that is told of every upload that became visible.
   * @default - the storage has no say in it, and the service chooses
   */
  readonly eventBus?: IEventBus;
  /** Allows reading and writing files. */
  grantReadWrite(grantee: IGrantable): Grant;
  /** Allows the instances to reach the storage. */
  allowFrom(instances: IConnectable): void;
}

/** What storages are made of. */
export abstract class FileStorage extends Construct implements IFileStorage {
  /** An encrypted, backed-up EFS file system, mounted by all instances over TLS with their IAM role. */
  public static efs(scope: Construct, id: string, props: EfsStorageProps): FileStorage {
    return new EfsStorage(scope, id, props);
  }

  /** The encrypted disk of the instance: for a single instance whose files are fetched soon. A replaced instance begins empty. */
  public static localDisk(scope: Construct, id: string): FileStorage {
    return new DiskStorage(scope, id);
  }

  /**
   * An EFS file system that is there already, with its own key, backups and throughput. Give one that knows its security group
   * (`FileSystem.fromFileSystemAttributes`): it is opened for the instances.
   */
  public static fromFileSystem(scope: Construct, id: string, fileSystem: IFileSystem, props: ExistingFileSystemProps = {}): FileStorage {
    return new FileSystemStorage(scope, id, fileSystem, props);
  }

  public abstract readonly description: string;
  public abstract readonly isShared: boolean;
  public abstract readonly mountCommands: string[];
  public abstract readonly settings: StorageSettings;
  public readonly eventBus?: IEventBus;
  public abstract grantReadWrite(grantee: IGrantable): Grant;
  /** Lets every alarm of the storage do something when it begins and when it ends. */
  public addAlarmAction(_action: IAlarmAction): void {
    // A disk has none of its own.
  }
  public abstract allowFrom(instances: IConnectable): void;
}

/** Bytes that a file system of up to 1 TiB can save up, and begins with (EFS user guide, "Bursting throughput"). */
const BURST_CREDITS = 2.1 * 2 ** 40;

/** Files that are mounted, or on the disk. */
const ON_INSTANCE: StorageSettings = { storage: { kind: 'local', root: STORAGE_ROOT }, scannedElsewhere: false };

class EfsStorage extends FileStorage {
  public readonly description = 'EFS, encrypted, backed up';
  public readonly isShared = true;
  public readonly settings = ON_INSTANCE;
  public readonly mountCommands: string[];
  private readonly fileSystem: FileSystem;
  private readonly group: SecurityGroup;
  private readonly slowSoon?: Alarm;

  constructor(scope: Construct, id: string, props: EfsStorageProps) {
    super(scope, id);
    refuseUnknownProps(props, 'EfsStorageProps');
    encryptBelow(this, props.encryptionKey);
    const { vpc, vpcSubnets, throughput = FileThroughput.BURSTING, removalPolicy = RemovalPolicy.RETAIN } = props;
    const kmsKey = keyFor(this, 'Key', { description: 'FTPS files', removalPolicy });
    letRolesUse(this, kmsKey, 'elasticfilesystem');
    this.group = new SecurityGroup(this, 'SecurityGroup', { vpc, description: 'FTPS files: NFS from the instances', allowAllOutbound: false });
    this.fileSystem = new FileSystem(this, 'Resource', {
      vpc,
      vpcSubnets,
      securityGroup: this.group,
      encrypted: true,
      kmsKey,
      enableAutomaticBackups: true,
      performanceMode: PerformanceMode.GENERAL_PURPOSE,
      throughputMode: throughput === FileThroughput.ELASTIC ? ThroughputMode.ELASTIC : ThroughputMode.BURSTING,
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
    if (throughput === FileThroughput.BURSTING) this.slowSoon = this.makeSlowSoon();
    this.mountCommands = [
      `mountpoint -q ${STORAGE_ROOT} || mount -t efs -o tls,iam,nodev,nosuid,noexec ${this.fileSystem.fileSystemId}:/ ${STORAGE_ROOT}`,
      `grep -q '${STORAGE_ROOT} efs' /etc/fstab || echo '${this.fileSystem.fileSystemId}:/ ${STORAGE_ROOT} efs _netdev,tls,iam,nodev,nosuid,noexec 0 0' >> /etc/fstab`,
      `chown ftps:ftps ${STORAGE_ROOT} && chmod 0750 ${STORAGE_ROOT}`,
    ];
  }

  public override addAlarmAction(action: IAlarmAction): void {
    this.slowSoon?.addAlarmAction(action);
  }

  /** A quarter of what a file system can save up is left: at the speed of a burst that is an hour and a half. */
  private makeSlowSoon(): Alarm {
    const alarm = new Alarm(this, 'SlowSoon', {
      alarmDescription:
        'More files are moved than EFS lets through for good (fileThroughput: bursting): when its credits are spent, transfers become slow. Switch to FileThroughput.ELASTIC, or keep files in S3.',
      metric: new Metric({
        namespace: 'AWS/EFS',
        metricName: 'BurstCreditBalance',
        dimensionsMap: { FileSystemId: this.fileSystem.fileSystemId },
        statistic: 'Minimum',
        period: Duration.minutes(15),
      }),
      threshold: Math.round(BURST_CREDITS / 4),
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    acknowledgeRegulations(alarm, 'CloudWatchAlarmAction', 'Who is told is said by addAlarmAction; a service in the same stack says its own topic.');
    return alarm;
  }

  public grantReadWrite(grantee: IGrantable): Grant {
    return granted(
      grantee,
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

/** An EFS file system that is there already. */
class FileSystemStorage extends FileStorage {
  public readonly description = 'EFS, of yours';
  public readonly isShared = true;
  public readonly settings = ON_INSTANCE;
  public readonly mountCommands: string[];

  constructor(
    scope: Construct,
    id: string,
    private readonly fileSystem: IFileSystem,
    private readonly props: ExistingFileSystemProps,
  ) {
    super(scope, id);
    refuseUnknownProps(props, 'ExistingFileSystemProps');
    const { path, accessPoint } = props;
    if (path !== undefined && accessPoint) throw new Error('path, accessPoint: give one of them; an access point shows a folder of its own');
    if (path !== undefined && !/^\/[A-Za-z0-9._/-]+$/.test(path)) throw new Error(`path: "${path}" is no folder of a file system; write it as /ftps`);
    const what = `${fileSystem.fileSystemId}:${path ?? '/'}`;
    const options = `tls,iam,nodev,nosuid,noexec${accessPoint ? `,accesspoint=${accessPoint.accessPointId}` : ''}`;
    this.mountCommands = [
      `mountpoint -q ${STORAGE_ROOT} || mount -t efs -o ${options} ${what} ${STORAGE_ROOT}`,
      `grep -q '${STORAGE_ROOT} efs' /etc/fstab || echo '${what} ${STORAGE_ROOT} efs _netdev,${options} 0 0' >> /etc/fstab`,
      // An access point has an owner already, and changes none.
      ...(accessPoint ? [] : [`chown ftps:ftps ${STORAGE_ROOT} && chmod 0750 ${STORAGE_ROOT}`]),
    ];
  }

  public override grantReadWrite(grantee: IGrantable): Grant {
    const { accessPoint } = this.props;
    const actions = ['ClientMount', 'ClientWrite', ...(accessPoint ? [] : ['ClientRootAccess'])].map((action) => `elasticfilesystem:${action}`);
    return granted(
      grantee,
      new PolicyStatement({
        actions,
        resources: [this.fileSystem.fileSystemArn],
        conditions: {
          // Only through mount targets, that is from within the VPC (EFS user guide, "Using IAM to control file system data access").
          Bool: { 'elasticfilesystem:AccessedViaMountTarget': 'true' },
          ...(accessPoint ? { StringEquals: { 'elasticfilesystem:AccessPointArn': accessPoint.accessPointArn } } : {}),
        },
      }),
    );
  }

  public override allowFrom(instances: IConnectable): void {
    instances.connections.allowToDefaultPort(this.fileSystem, 'NFS from the FTPS instances');
  }
}

class DiskStorage extends FileStorage {
  public readonly description = 'disk of the instance, encrypted';
  public readonly isShared = false;
  public readonly settings = ON_INSTANCE;
  public readonly mountCommands = [`install -d -o ftps -g ftps -m 0750 ${STORAGE_ROOT}`];

  public grantReadWrite(grantee: IGrantable): Grant {
    return Grant.drop(grantee, 'A disk of the instance needs no permission');
  }

  public allowFrom(): void {
    // A disk needs no network.
  }
}
