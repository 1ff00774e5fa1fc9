/**
 * Leaving an Auto Scaling group in order: the group says in the instance's metadata that the instance shall go, the server drains, and
 * then lets the group end the instance (Amazon EC2 Auto Scaling user guide, "Retrieve the target lifecycle state through instance metadata").
 */
import { AutoScalingClient, CompleteLifecycleActionCommand } from '@aws-sdk/client-auto-scaling';
import type { ServerConfig } from '../config';
import { instanceMetadata } from './instance-metadata';

/** The watch over what the group wants of this instance. */
export interface Lifecycle {
  /** Ends the watch. Where the group was waiting, it is told that the instance may go; where it can't be told, its own time-out tells it. */
  finish(): Promise<void>;
}

/** Calls `leave` once when the group wants this instance to go. Metadata that can't be read is asked again. */
export function watchLifecycle({ group, hook, pollSeconds }: NonNullable<ServerConfig['lifecycle']>, leave: () => void): Lifecycle {
  let leaving = false;
  let timer: NodeJS.Timeout;
  async function look(): Promise<void> {
    leaving = (await instanceMetadata('autoscaling/target-lifecycle-state').catch(() => '')) === 'Terminated';
    if (leaving) leave();
    else timer = setTimeout(look, pollSeconds * 1000).unref();
  }
  timer = setTimeout(look, 0).unref();
  return {
    async finish() {
      clearTimeout(timer);
      if (!leaving) return;
      try {
        const InstanceId = await instanceMetadata('instance-id');
        await new AutoScalingClient({ maxAttempts: 5 }).send(
          new CompleteLifecycleActionCommand({
            AutoScalingGroupName: group,
            LifecycleHookName: hook,
            InstanceId,
            LifecycleActionResult: 'CONTINUE',
          }),
        );
      } catch (error) {
        process.stderr.write(`ftps: the group can't be told that this instance is drained (${(error as Error).name}); its time-out will\n`);
      }
    },
  };
}
