/** The pipeline that promotes staging to production: where it runs, and what it adds to the environments. */
import { FtpsEnvironment, type FtpsPipelineProps } from '../../lib';
import { base } from './base';
import { prod } from './prod';
import { staging } from './staging';

/** The address by which the probe comes; both environments let it in. */
const probe = { allocationId: 'eipalloc-00000000000000000', address: '192.0.2.10' };
const letsProbeIn = (clientCidrs: string[]) => [...clientCidrs, `${probe.address}/32`];

export const pipeline: FtpsPipelineProps = {
  env: { account: '111111111111', region: 'us-east-1' },
  repository: 'example/ftps',
  connectionArn: 'arn:aws:codeconnections:us-east-1:111111111111:connection/00000000-0000-0000-0000-000000000000',
  probe,
  staging: FtpsEnvironment.staging(base, { ...staging, env: { account: '222222222222', region: 'us-east-1' }, clientCidrs: letsProbeIn(staging.clientCidrs) }),
  production: FtpsEnvironment.production(base, {
    ...prod,
    env: { account: '333333333333', region: 'eu-central-1' },
    clientCidrs: letsProbeIn(prod.clientCidrs),
  }),
};
