/** One environment, stamped from one settings object. */
import { type Environment, RemovalPolicy, Stack, Stage, type StageProps, Tags } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { FtpsService } from './ftps-service';
import { AuditLog } from './logs/audit-log';
import type { FtpsServerSettings } from './server-settings';

/** What differs between environments. */
export interface FtpsEnvironmentSettings {
  /** Name of the environment, `staging` or `prod` for example; it names the stack and tags every resource. */
  readonly name: string;
  /**
   * Account and region.
   * @default - those of the deployment
   */
  readonly env?: Environment;
  /** Host name that clients connect to. */
  readonly domainName: string;
  /** Id of the Route 53 zone of the host name. */
  readonly hostedZoneId: string;
  /** Name of that zone. */
  readonly zoneName: string;
  /** Networks that clients come from, in CIDR form. */
  readonly clientCidrs: string[];
  /**
   * Whether `clientCidrs` may contain the whole internet.
   * @default false
   */
  readonly allowPublicAccess?: boolean;
  /** @default 2 */
  readonly instances?: number;
  /** @default c7g.large */
  readonly instanceType?: string;
  /** @default - Sundays at 03:00 UTC */
  readonly patchSchedule?: string;
  /** @default - see FtpsServerSettings */
  readonly server?: FtpsServerSettings;
  /**
   * How long logs can be searched.
   * @default RetentionDays.ONE_YEAR
   */
  readonly logRetention?: RetentionDays;
  /**
   * For how many days the archive of the audit can't be changed; 0 leaves it out.
   * @default 365
   */
  readonly archiveDays?: number;
  /**
   * Whether the stack is protected against deletion and its data kept when it is deleted all the same.
   * @default true
   */
  readonly protect?: boolean;
}

export interface FtpsStageProps extends StageProps {
  readonly settings: FtpsEnvironmentSettings;
}

export class FtpsStage extends Stage {
  public readonly service: FtpsService;

  constructor(scope: Construct, id: string, { settings, ...props }: FtpsStageProps) {
    super(scope, id, { env: settings.env, ...props });
    const protect = settings.protect ?? true;
    const stack = new Stack(this, 'Ftps', {
      stackName: `ftps-${settings.name}`,
      description: `FTPS service ${settings.domainName} (${settings.name})`,
      terminationProtection: protect,
    });
    Tags.of(stack).add('service', 'ftps');
    Tags.of(stack).add('environment', settings.name);
    try {
      const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: settings.hostedZoneId, zoneName: settings.zoneName });
      const auditLog = new AuditLog(stack, 'Logs', {
        retention: settings.logRetention ?? RetentionDays.ONE_YEAR,
        archiveDays: settings.archiveDays ?? 365,
        removalPolicy: protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      });
      this.service = new FtpsService(stack, 'Service', { ...settings, hostedZone, auditLog });
    } catch (error) {
      throw new Error(`Environment "${settings.name}": ${(error as Error).message}`, { cause: error });
    }
  }
}
