/**
 * The Lambda that brings a new image to the instances: run when Image Builder has one, when a refresh has ended, once a day, and by a
 * deployment that asks which image to start from. The state is read anew each time, so that lost, repeated and reordered events do no harm.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { EC2Client } from '@aws-sdk/client-ec2';
import { SSMClient } from '@aws-sdk/client-ssm';
import { answerCloudFormation, type CloudFormationRequest, isCloudFormation } from '../../functions/cloudformation';
import { isDeploying } from './deployment';
import { Fleet } from './fleet';
import { ImageParameters } from './image-parameters';
import { Images } from './images';
import { report } from './metrics';
import { rollOut } from './roll-out';
import { imageToStartFrom } from './start-from';

const logger = new Logger({ serviceName: 'ftps-rollout' });

/** How long a deployment waits for a refresh that is under way; the Lambda has a quarter of an hour. Milliseconds. */
const SETTLE_MS = 13 * 60_000;

export async function handler(event: CloudFormationRequest | Record<string, unknown> = {}): Promise<void> {
  const { GROUP_NAME = '', BUILT_PARAMETER = '', GOOD_PARAMETER = '', ALARMS = '[]', MIN_HEALTHY = '100', WARMUP_SECONDS = '120' } = process.env;
  const { STACK = '', IN_SERVICE = '', METRIC_NAMESPACE = '', METRIC_FLEET = '' } = process.env;
  const retries = { maxAttempts: 6 };
  const ec2 = new EC2Client(retries);
  const parameters = new ImageParameters(new SSMClient(retries), { built: BUILT_PARAMETER, good: GOOD_PARAMETER });
  const images = new Images(ec2, IN_SERVICE);
  const fleet = new Fleet(new AutoScalingClient(retries), ec2, {
    groupName: GROUP_NAME,
    alarms: JSON.parse(ALARMS) as string[],
    minHealthyPercentage: Number(MIN_HEALTHY),
    warmupSeconds: Number(WARMUP_SECONDS),
  });
  if (isCloudFormation(event)) {
    await answerCloudFormation(event, () => deploy(event, { fleet, images, parameters }));
    return;
  }
  const deploying = () => isDeploying(new CloudFormationClient(retries), STACK);
  const { ageDays, ...done } = await rollOut({ fleet, parameters, images, deploying });
  logger.info('image and instances are in step', { ...done });
  const target = { namespace: METRIC_NAMESPACE, fleet: METRIC_FLEET };
  report({ ...(ageDays === undefined ? {} : { ImageAgeDays: ageDays }), ImagesGivenUp: done.outcome === 'given-up' ? 1 : 0 }, target);
}

/** Tells the deployment which image to start from, and clears the way for its refresh. */
async function deploy(
  event: CloudFormationRequest & { readonly ResourceProperties?: { readonly FirstImage?: string; readonly Recipe?: string } },
  { fleet, images, parameters }: { fleet: Fleet; images: Images; parameters: ImageParameters },
): Promise<Record<string, string>> {
  const { FirstImage: first = '', Recipe: recipe = '' } = event.ResourceProperties ?? {};
  if (event.RequestType === 'Delete') {
    await parameters.forget();
    return { ImageId: first };
  }
  if (event.RequestType === 'Update' && !(await fleet.settle(Date.now() + SETTLE_MS, pause)))
    throw new Error(
      'the instances are being moved to another image, which did not end within 13 minutes. Wait for the instance refresh to end, and deploy again',
    );
  return { ImageId: await imageToStartFrom({ recipe, first }, images, parameters) };
}
