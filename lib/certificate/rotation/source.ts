/** Where certificates come from. */
import type { CertificateMaterial } from '../../../server/config';

export interface CertificateSource {
  /** The ARN that the material comes from; kept beside it, so that material of another source is never taken for older material of this one. */
  readonly id: string;
  /**
   * The material to serve. May answer with `current` itself where that is still the right one, so that no key leaves its place
   * without need. `renew` asks for another one all the same, where the source can make one. Throws a RotationFailure.
   */
  latest(current: CertificateMaterial | undefined, renew: boolean): Promise<CertificateMaterial>;
}
