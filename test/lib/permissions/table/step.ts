/** A row of the table: one step of deployment or operation, who takes it, what it needs, and what is only near to it. */
import { ACCOUNT, type Deployment, REGION } from '../deployment';
import type { Context, Principal } from '../evaluate';

/** Actions, separated by spaces; what they are done to; and what IAM knows of the request beside that. */
export type Request = readonly [actions: string, on: string | readonly string[], context?: Context];

export interface Step {
  readonly step: string;
  readonly who: Principal;
  /** Page of the AWS documentation by its title, or the code of the kit that asks. */
  readonly page: string;
  readonly may: readonly Request[];
  /** Another key, prefix, tag or account: must be refused. */
  readonly not?: readonly Request[];
}

export type Table = (deployment: Deployment) => readonly Step[];

export const arn = (service: string, resource: string, { account = ACCOUNT, region = REGION } = {}) => `arn:aws:${service}:${region}:${account}:${resource}`;
export const ELSEWHERE = '999988887777';
export const SOMEBODYS_KEY = arn('kms', 'key/somebody-elses');
export const instance = arn('ec2', 'instance/i-0123456789abcdef0');
export const via = (service: string, region = REGION): Context => ({ 'kms:ViaService': `${service}.${region}.amazonaws.com` });
/** Region of an ARN. */
export const regionOf = (one: string) => one.split(':')[3]!;
