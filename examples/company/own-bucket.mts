import { App, Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { FtpsService, S3Storage } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Partners', { env: { region: 'eu-central-1', account: '111122223333' } });
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
const encryptionKey = Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab');
const bucket = Bucket.fromBucketAttributes(stack, 'Lake', { bucketArn: 'arn:aws:s3:::company-data-lake', encryptionKey });

new FtpsService(stack, 'Ftps', {
  domainName: 'ftps.example.com',
  hostedZone,
  clientCidrs: ['203.0.113.0/24'],
  storage: S3Storage.fromBucket(stack, 'Files', bucket, { prefix: 'partners/' }),
});
