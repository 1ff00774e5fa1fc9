/**
 * The Lambda that brings a new image to the instances: run when Image Builder has one, when a refresh has ended, once a day, and by a
 * deployment that asks which image to start from. The state is read anew each time, so that lost, repeated and reordered events do no harm.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { EC2Client } from '@aws-sdk/client-ec2';
import { SSMClient } from '@aws-sdk/client-ssm';
import { answerCloudFormation, type CloudFormationRequest, isCloudFormation } from '../../functions/cloudformation';
import { Fleet } from './fleet';
import { ImageParameters } from './image-parameters';
import { rollOut } from './roll-out';

const logger = new Logger({ serviceName: 'ftps-rollout' });

export async function handler(event: CloudFormationRequest | Record<string, unknown> = {}): Promise<void> {
  const { GROUP_NAME = '', BUILT_PARAMETER = '', GOOD_PARAMETER = '', ALARMS = '[]', MIN_HEALTHY = '100', WARMUP_SECONDS = '120' } = process.env;
  const retries = { maxAttempts: 6 };
  const images = new ImageParameters(new SSMClient(retries), { built: BUILT_PARAMETER, good: GOOD_PARAMETER });
  if (isCloudFormation(event)) {
    // The image that was tried in service last; before the first one, the one that this deployment built.
    const first = String((event as { ResourceProperties?: { FirstImage?: string } }).ResourceProperties?.FirstImage ?? '');
    await answerCloudFormation(event, async () => ({ ImageId: (event.RequestType === 'Delete' ? undefined : await images.good()) ?? first }));
    return;
  }
  const fleet = new Fleet(new AutoScalingClient(retries), new EC2Client(retries), {
    groupName: GROUP_NAME,
    alarms: JSON.parse(ALARMS) as string[],
    minHealthyPercentage: Number(MIN_HEALTHY),
    warmupSeconds: Number(WARMUP_SECONDS),
  });
  logger.info('image and instances are in step', { ...(await rollOut(fleet, images)) });
}
