/** Which image a deployment starts instances from. */
import type { ImageParameters } from './image-parameters';
import type { Images } from './images';

export interface Asked {
  /** Beginning of the ARNs of the images that have the server of this deployment. */
  readonly recipe: string;
  /** The AMI that this deployment, or one before of the same recipe, has built. */
  readonly first: string;
}

/**
 * The last one of the recipe that proved good in service, if it is still there; else the one that the deployment built; else the newest of the
 * recipe that passed its tests. An image of another recipe has another server, which the settings of this deployment are not for. Throws an
 * Error where none is left.
 */
export async function imageToStartFrom({ recipe, first }: Asked, images: Images, parameters: ImageParameters): Promise<string> {
  const proved = [await images.find(await parameters.good()), ...(await images.inService())];
  const good = proved.find((image) => image?.recipe === recipe);
  if (good) return good.id;
  if (await images.find(first)) return first;
  const built = await images.find(await parameters.built());
  if (built?.recipe === recipe) return built.id;
  throw new Error(
    `no image of this version of the server is left: ${first} was deleted. Start the image pipeline, wait for its image, and deploy again (docs/operating.md, "Patch now")`,
  );
}
