/** Who is called when something about a service goes wrong, the page that shows how it does, and which alarms take a new image back. */
import { Duration, Stack } from 'aws-cdk-lib';
import type { Dashboard } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct, IConstruct } from 'constructs';
import type { ServerConfig } from '../../server/config';
import { acknowledgeHouseRules } from '../compliance/house-rules';
import type { ImageRollout } from '../fleet/image-rollout';
import type { ServerFleet } from '../fleet/server-fleet';
import type { FtpsServiceProps } from '../ftps-service-props';
import { FtpsAccounts, type IFtpsAccounts } from '../identity/accounts';
import type { AuditLog } from '../logs/audit-log';
import { ServiceAlarms } from '../observability/service-alarms';
import { ServiceDashboard } from '../observability/service-dashboard';
import { keepOnceDeployed } from '../removal';

/** What is looked at. */
export interface WatchedParts {
  readonly config: ServerConfig;
  readonly auditLog: AuditLog;
  readonly accounts: IFtpsAccounts;
  readonly instances: number;
  readonly groupName: string;
  readonly fleet: ServerFleet;
  readonly rollout: ImageRollout;
  /** Parts that may lie elsewhere, and that belong to the service all the same. */
  readonly parts: readonly IConstruct[];
}

/** Alarms that say that a new image is worse than the one before. */
const ROLL_BACK_ON = ['HandshakeFailures', 'FailedLogins', 'TransferErrors', 'UnavailableLogins', 'WorkersLost'];

/** Everything that is counted must have been said to the audit log before. */
export function watch(scope: Construct, props: FtpsServiceProps, watched: WatchedParts): { readonly alarms: ServiceAlarms; readonly dashboard: Dashboard } {
  const { config, auditLog, instances, groupName } = watched;
  const heartbeatInterval = Duration.seconds(config.audit.heartbeatSeconds);
  const alarms = new ServiceAlarms(scope, 'Alarms', {
    auditLog,
    instances,
    groupName,
    heartbeatInterval,
    thresholds: props.alarmThresholds,
    as2Partners: config.as2?.partners.map(({ as2Id }) => as2Id),
    topic: props.alarmTopic,
    emails: props.alarmEmails,
  });
  watched.rollout.connect(
    watched.fleet,
    alarms.alarms.filter(({ node }) => ROLL_BACK_ON.includes(node.id)),
  );
  for (const part of [scope, ...watched.parts]) takeUp(part, scope, alarms);
  serveAccounts(watched.accounts, scope, alarms, config);
  const { dashboard } = new ServiceDashboard(scope, 'Dashboard', {
    auditLog,
    heartbeatInterval,
    title: props.domainName,
    alarms: [alarms.attack, ...alarms.alarms],
  });
  return { alarms, dashboard };
}

/** Its alarms call the same people, and what holds for the service holds for it. */
function takeUp(part: IConstruct, scope: Construct, alarms: ServiceAlarms): void {
  alarms.adopt(part);
  if (!part.node.scopes.includes(scope)) acknowledgeHouseRules(part);
  keepOnceDeployed(part);
}

/** Accounts of the kit may make alarms later, each time that an account is added. */
function serveAccounts(accounts: IFtpsAccounts, scope: Construct, alarms: ServiceAlarms, config: ServerConfig): void {
  if (!(accounts instanceof FtpsAccounts)) return;
  accounts._serve({
    fips: config.tls.policy === 'fips',
    // Of a third stack, which needs the accounts, nothing is heard here: the two would need each other.
    adopt: (construct) => {
      if ([scope, accounts, alarms.topic].some((one) => Stack.of(one) === Stack.of(construct))) alarms.adopt(construct);
    },
  });
}
