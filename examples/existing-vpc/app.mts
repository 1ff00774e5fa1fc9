import { App, Stack } from 'aws-cdk-lib';
import { PrefixList, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { ElasticAddresses, FtpsService } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Partners', { env: { region: 'eu-central-1', account: '111122223333' } });
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
// Yours: by its ids, so that synthesis asks no account.
const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', {
  vpcId: 'vpc-0123456789abcdef0',
  availabilityZones: ['eu-central-1a', 'eu-central-1b'],
  publicSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
  publicSubnetRouteTableIds: ['rtb-0123456789abcdef0', 'rtb-0123456789abcdef1'],
});

new FtpsService(stack, 'Ftps', {
  domainName: 'ftps.example.com',
  hostedZone,
  vpc,
  vpcSubnets: { subnetType: SubnetType.PUBLIC },
  imageBuildCidr: '10.0.255.0/28', // a free range: images are built there, with an address that instances do not get
  clientCidrs: ['203.0.113.0/24'],
  clientPrefixLists: [PrefixList.fromPrefixListId(stack, 'Partners', 'pl-0123456789abcdef0')],
  endpoint: new ElasticAddresses(stack, 'Addresses', { count: 3 }),
});
