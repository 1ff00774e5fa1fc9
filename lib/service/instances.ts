/** The instances of a service: what they start with, and the group that keeps them. */
import { Duration, Lazy, Stack } from 'aws-cdk-lib';
import type { InstanceType, ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { ServerConfig } from '../../server/config';
import type { PartnersFile } from '../as2/partners-file';
import { refuseTooMuchUserData } from '../aws-limits';
import type { IFtpsEndpoint } from '../endpoint/endpoint';
import type { ImageRollout } from '../fleet/image-rollout';
import { ServerFleet } from '../fleet/server-fleet';
import { startScript } from '../fleet/start-script';
import type { FtpsServiceProps } from '../ftps-service-props';
import type { AuditLog } from '../logs/audit-log';
import { stableName } from '../names';
import type { IFileStorage } from '../storage/file-storage';
import type { UploadBus } from '../storage/upload-bus';

/** Where instances lie, how many they are, and of which kind. */
export interface InstancePlace {
  readonly vpc: IVpc;
  readonly vpcSubnets: SubnetSelection;
  readonly instances: number;
  readonly groupName: string;
  readonly securityGroup: ISecurityGroup;
  readonly instanceType: InstanceType;
}

/** What they start with. */
export interface InstanceParts {
  readonly config: ServerConfig;
  readonly storage: IFileStorage;
  readonly uploads: UploadBus;
  readonly as2Partners?: PartnersFile;
  readonly endpoint: IFtpsEndpoint;
  readonly auditLog: AuditLog;
  readonly rollout: ImageRollout;
}

export function makeInstances(scope: Construct, props: FtpsServiceProps, place: InstancePlace, parts: InstanceParts): ServerFleet {
  const { config, endpoint } = parts;
  const userData = startScript({
    region: Stack.of(scope).region,
    // Whether uploads are told of is known when everything is said.
    settings: Lazy.uncachedString({ produce: () => JSON.stringify(shippedSettings(parts)) }),
    settingsCommands: parts.as2Partners?.startCommands() ?? [],
    mountCommands: parts.storage.mountCommands,
    endpointCommands: endpoint.startCommands(),
    groupName: place.groupName,
    launchHook: ServerFleet.LAUNCH_HOOK,
    agentSettings: parts.auditLog.agentSettings(),
    adminPort: config.admin.port!,
    passivePorts: config.passive.ports,
  });
  refuseTooMuchUserData(scope, userData);
  return new ServerFleet(scope, 'Fleet', {
    ...place,
    imageId: parts.rollout.imageToStartFrom(),
    userData,
    maxInstances: props.maxInstances,
    warmInstances: props.warmInstances,
    drain: Duration.seconds(config.limits.drainSeconds),
    publicAddress: endpoint.publicAddress,
    ipv6: props.ipv6,
  });
}

/** The settings of the server, with the bus that it tells of uploads; an instance puts its partners in by itself. */
function shippedSettings({ config, storage, uploads }: InstanceParts): ServerConfig {
  const { afterRelease } = config;
  const eventBus = afterRelease.eventBus ?? uploads.arnForServers;
  const short = config.as2 ? { ...config, as2: { ...config.as2, partners: [] } } : config;
  if (eventBus === undefined && afterRelease.webhooks.length === 0) return short;
  return { ...short, afterRelease: { ...afterRelease, eventBus, storage: stableName(storage) } };
}
