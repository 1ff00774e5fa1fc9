/** Limits of AWS that settings can exceed, and that a deployment would meet only when half of it is done. */
import { Stack } from 'aws-cdk-lib';
import type { UserData } from 'aws-cdk-lib/aws-ec2';
import type { IConstruct } from 'constructs';

/** Rules of a security group, for IPv4 and for IPv6 each (Amazon VPC user guide, "Amazon VPC quotas"); can be raised. */
export const DEFAULT_RULES = 60;

/** Longest that a hook of Auto Scaling waits, in seconds (Amazon EC2 Auto Scaling API reference, "LifecycleHookSpecification"). */
const LONGEST_HOOK = 7_200;
/** What an instance has beside the drain of its predecessor to come to serve in. Seconds. */
export const START_SECONDS = 600;
/** The longest drain that the hooks of instances leave room for. Seconds. */
const LONGEST_DRAIN = LONGEST_HOOK - START_SECONDS;

/** Bytes of user data before they are encoded (Amazon EC2 user guide, "Run commands when you launch an EC2 instance with user data input"). */
const USER_DATA_BYTES = 16_384;
/** What a reference becomes at most, in bytes: the ARN of a secret with its name is the longest. */
const REFERENCE_BYTES = 160;

/** Refuses networks of clients that would need more rules than a security group has. */
export function refuseTooManyRules(clients: { readonly cidrs: readonly string[]; readonly lists: readonly string[] }, openings: number, most: number): void {
  for (const [version, networks] of [
    ['IPv4', clients.cidrs.filter((cidr) => !cidr.includes(':'))],
    ['IPv6', clients.cidrs.filter((cidr) => cidr.includes(':'))],
  ] as const) {
    const rules = (networks.length + clients.lists.length) * openings;
    if (rules > most)
      throw new Error(
        `clientCidrs: ${networks.length} ${version} networks${clients.lists.length > 0 ? ` and ${clients.lists.length} prefix lists` : ''}, each with ${openings} openings, are ${rules} rules; a security group has ${most}. Write neighbouring networks as a larger one, at most ${Math.floor(most / openings) - clients.lists.length} in all, or have the quota "Inbound or outbound rules per security group" raised and say securityGroupRules`,
      );
  }
}

/** What is wrong with a drain that outlasts the hooks which wait for it; undefined where nothing is. */
export function drainProblem(seconds: number): string | undefined {
  if (seconds <= LONGEST_DRAIN) return undefined;
  return `${seconds} seconds are longer than Auto Scaling waits for an instance; at most ${LONGEST_DRAIN}, which leaves its successor ${START_SECONDS} of the ${LONGEST_HOOK} to begin`;
}

/** Refuses a start script that no instance could be given. */
export function refuseTooMuchUserData(scope: IConstruct, userData: UserData): void {
  const bytes = bytesOf(Stack.of(scope).resolve(userData.render()));
  if (bytes > USER_DATA_BYTES)
    throw new Error(
      `server: the settings make ${bytes} bytes of user data, and an instance takes ${USER_DATA_BYTES}. Long are certificates of directories (ca), many rules of directories, and the banner; name an authority that is well-known, or gather rules`,
    );
}

function bytesOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  const join = (value as { 'Fn::Join'?: [string, unknown[]] })['Fn::Join'];
  return join ? join[1].reduce((sum: number, part) => sum + bytesOf(part), 0) : REFERENCE_BYTES;
}
