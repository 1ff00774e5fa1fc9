/** Why a rotation failed, in kinds that can be counted and alarmed, each with words for a person. */

/**
 * `revoked`: the certificate was revoked. `refused`: a check speaks against it. `source`: ACM or the private authority did not give
 * one. `store`: Secrets Manager did not take it.
 */
export type FailureReason = 'revoked' | 'refused' | 'source' | 'store';

export class RotationFailure extends Error {
  constructor(
    readonly reason: FailureReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'RotationFailure';
  }
}

/** Runs requests to one service; whatever goes wrong there gets this reason, with the name and the words of the service. */
export async function asking<Result>(reason: FailureReason, what: string, request: () => Promise<Result>): Promise<Result> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof RotationFailure) throw error;
    const { name, message } = error as Error;
    throw new RotationFailure(reason, `${what} failed (${name}): ${message}`);
  }
}
