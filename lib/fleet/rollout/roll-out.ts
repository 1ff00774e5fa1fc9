/** One pass: a refresh that proved good is noted, and an image that is newer than the one in service is rolled out, once. */
import { Fleet } from './fleet';
import type { ImageParameters } from './image-parameters';
import type { Images } from './images';

export interface RollOut {
  readonly outcome: 'deploying' | 'no-group' | 'no-image' | 'current' | 'running' | 'another-server' | 'started' | 'given-up';
  readonly imageId?: string;
  /** Days since the image in service was built. */
  readonly ageDays?: number;
}

export interface Parts {
  readonly fleet: Fleet;
  readonly parameters: ImageParameters;
  readonly images: Images;
  /** Whether CloudFormation is at work on the stack. */
  readonly deploying: () => Promise<boolean>;
}

export async function rollOut({ fleet, parameters, images, deploying }: Parts): Promise<RollOut> {
  if (await deploying()) return { outcome: 'deploying' };
  const launches = await fleet.launches();
  if (!launches) return { outcome: 'no-group' };
  const inService = await images.find(launches.imageId);
  const ageDays = inService && (Date.now() - inService.created.getTime()) / 86_400_000;
  const last = await fleet.lastRefresh();
  if (last && Fleet.runs(last)) return { outcome: 'running', imageId: last.imageId, ageDays };
  // What the group launches now has served, and is what its last refresh, if there was one, came to without a roll-back.
  if (launches.serves && (!last || last.status === 'Successful')) {
    if ((await parameters.good()) !== launches.imageId) await parameters.proved(launches.imageId);
    if (inService) await images.keep(inService);
  }
  const built = await parameters.built();
  if (!built) return { outcome: 'no-image', ageDays };
  if (built === launches.imageId) return { outcome: 'current', imageId: built, ageDays };
  // Another recipe has another server, whose settings come with the deployment that brings it.
  if ((await images.find(built))?.recipe !== inService?.recipe) return { outcome: 'another-server', imageId: built, ageDays };
  // An image that was rolled back is not tried again; the next build is.
  if (last?.imageId === built && last.status !== 'Successful') return { outcome: 'given-up', imageId: built, ageDays };
  await fleet.refresh(launches, built);
  return { outcome: 'started', imageId: built, ageDays };
}
