/**
 * Who may do what, asked of an evaluator of IAM's policies: every request of the table is let through, every one that is only near to it
 * is refused, and nothing is granted that no row needs.
 */
import { Key } from 'aws-cdk-lib/aws-kms';
import { acceptedGrants } from './accepted';
import { everythingElse, production, promotion } from './deployments';
import { ask } from './evaluate';
import { accountsInCode } from './table/accounts';
import { as2 } from './table/as2';
import { certificateOfAcm, certificateOfPrivateAuthority, clientTrust } from './table/certificate';
import { elasticAddresses, existingAddresses, loadBalancer } from './table/endpoint';
import { alarms, customResources, events, lambdas, logGroups, trust } from './table/everywhere';
import { efs, fleet } from './table/fleet';
import { image, sharedImage } from './table/image';
import { analyst, archive, dataEvents, flowLogs, securityLake } from './table/logs';
import { KEY_OF_OTHERS, oneKey } from './table/one-key';
import { signInElsewhere, webhooks } from './table/outward';
import { accountKeeper, operator } from './table/people';
import { pipelineActions } from './table/pipeline';
import { balancerOfAws, filesOfAws } from './table/service-linked';
import { hostKeys } from './table/sftp';
import type { Request, Table } from './table/step';
import { s3, s3ScannedByInstances, toldByServers } from './table/storage';
import { unneeded } from './unneeded';

const everywhere = [events, logGroups, alarms, lambdas, trust, customResources];

const ofEverythingElse = [
  ...[image, sharedImage, fleet, certificateOfPrivateAuthority, clientTrust, s3, s3ScannedByInstances, loadBalancer, existingAddresses],
  ...[
    archive,
    flowLogs,
    securityLake,
    dataEvents,
    analyst,
    operator,
    accountKeeper,
    accountsInCode,
    balancerOfAws,
    hostKeys,
    as2,
    signInElsewhere,
    ...everywhere,
  ],
];

describe.each([
  [
    'production',
    production(),
    /^prod\//,
    [image, fleet, efs, filesOfAws, toldByServers, webhooks, certificateOfAcm, elasticAddresses, archive, flowLogs, ...everywhere],
  ],
  ['a service with everything else', everythingElse(), /^Wide\//, ofEverythingElse],
  [
    'a service with everything else and one key, that others look after',
    everythingElse((scope) => Key.fromKeyArn(scope, 'CompanyKey', KEY_OF_OTHERS)),
    /^Wide\//,
    [...ofEverythingElse, oneKey],
  ],
  ['the pipeline', promotion(), /^ftps-pipeline\//, [pipelineActions]], // its environments are those above
] as const)('%s', (_, deployment, within, tables: readonly Table[]) => {
  const steps = tables.flatMap((table) => table(deployment));

  it.each(steps.filter(({ may }) => may.length > 0).map((one) => [one.step, one] as const))('%s', async (_step, { who, may, page }) => {
    const refused: string[] = [];
    for (const [action, on, context] of singly(may)) {
      const { allowed, why } = await ask(deployment, who, action, on, context);
      if (!allowed) refused.push(`${who.name} may not ${action} on ${on} (${why}); ${page}`);
    }
    expect(refused).toEqual([]);
  });

  it('refuses what is only near to it', async () => {
    const open: string[] = [];
    for (const { who, not = [] } of steps)
      for (const [action, on, context] of singly(not))
        if ((await ask(deployment, who, action, on, context)).allowed) open.push(`${who.name} may ${action} on ${on} ${JSON.stringify(context ?? {})}`);
    expect(open).toEqual([]);
  });

  it('grants nothing that no step needs', () => {
    const rows = steps.flatMap(({ who, may }) => singly(may).map(([action, on]) => ({ role: who.id, action, on })));
    expect(unneeded(deployment, rows, acceptedGrants, within)).toEqual([]);
  });
});

function singly(requests: readonly Request[]): (readonly [action: string, on: string, context: Request[2]])[] {
  return requests.flatMap(([actions, on, context]) => actions.split(' ').flatMap((action) => [on].flat().map((one) => [action, one, context] as const)));
}
