import { App, type Stack } from 'aws-cdk-lib';
import { SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { FtpsEnvironment, type FtpsEnvironmentOptions, FtpsStage, FtpsStageParts, PrivateAddresses, StorageKind } from 'cdk-ftps';

// What the company has already; everything else is made anew, the data in a stack of their own.
class Company extends FtpsStageParts {
  constructor(
    private readonly vpcId: string,
    private readonly subnetIds: string[],
  ) {
    super();
  }
  override vpc(data: Stack) {
    return Vpc.fromVpcAttributes(data, 'Vpc', {
      vpcId: this.vpcId,
      availabilityZones: ['eu-central-1a', 'eu-central-1b'],
      privateSubnetIds: this.subnetIds,
    });
  }
  override endpoint(data: Stack) {
    return new PrivateAddresses(data, 'Inside');
  }
  override alarmTopic(data: Stack) {
    return Topic.fromTopicArn(data, 'OnCall', 'arn:aws:sns:eu-central-1:111122223333:on-call');
  }
}

const shared: FtpsEnvironmentOptions = {
  env: { region: 'eu-central-1', account: '111122223333' },
  vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
  storage: StorageKind.S3,
};
const own = { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com', clientCidrs: ['10.0.0.0/8'] };
const staging = FtpsEnvironment.staging(shared, { ...own, name: 'staging', domainName: 'ftps-staging.example.com' });
const prod = FtpsEnvironment.production(shared, { ...own, name: 'prod', domainName: 'ftps.example.com', stackName: 'corp-eu1-ftps' });

const app = new App();
new FtpsStage(app, 'staging', { settings: staging, parts: new Company('vpc-0123456789abcdef0', ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1']) });
new FtpsStage(app, 'prod', { settings: prod, parts: new Company('vpc-0123456789abcdef1', ['subnet-0123456789abcdef2', 'subnet-0123456789abcdef3']) });
