/** One pass: a refresh that proved good is noted, and an image that is newer than the one in service is rolled out, once. */
import { Fleet } from './fleet';
import type { ImageParameters } from './image-parameters';

export type RollOut = { readonly outcome: 'no-group' | 'no-image' | 'current' | 'running' | 'started' | 'given-up'; readonly imageId?: string };

export async function rollOut(fleet: Fleet, images: ImageParameters): Promise<RollOut> {
  const launches = await fleet.launches();
  if (!launches) return { outcome: 'no-group' };
  const last = await fleet.lastRefresh();
  if (last && Fleet.runs(last)) return { outcome: 'running', imageId: last.imageId };
  // What the group launches now is what it was saved with after its last refresh succeeded.
  if ((await images.good()) !== launches.imageId) await images.proved(launches.imageId);
  const built = await images.built();
  if (!built) return { outcome: 'no-image' };
  if (built === launches.imageId) return { outcome: 'current', imageId: built };
  // An image that was rolled back is not tried again; the next build is.
  if (last?.imageId === built && last.status !== 'Successful') return { outcome: 'given-up', imageId: built };
  await fleet.refresh(launches, built);
  return { outcome: 'started', imageId: built };
}
