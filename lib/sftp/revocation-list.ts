/** What was revoked, in an object of S3 that the instances read. */
import { Stack } from 'aws-cdk-lib';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';

/** Neither a folder nor a pattern: what is granted is one object. */
const OBJECT = /^s3:\/\/([^/*?]+)\/([^*?]*[^/*?])$/;

export function isOneObject(location: string): boolean {
  return OBJECT.test(location);
}

/** Lets the instances read it, and nothing else of its bucket. */
export function grantReadOfRevocations(role: IRole, location: string): void {
  const [, resource, resourceName] = OBJECT.exec(location)!;
  const arn = Stack.of(role).formatArn({ service: 's3', region: '', account: '', resource: resource!, resourceName: resourceName! });
  role.addToPrincipalPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: [arn] }));
}
