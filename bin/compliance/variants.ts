/** What the environments of `bin/environments` are not: production behind a load balancer and a network firewall, a service in a network of yours, and one that no internet reaches. */
import { App, type AppProps, Stack, Validations } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { PrefixList, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import { PrivateHostedZone } from 'aws-cdk-lib/aws-route53';
import { DelegatedZone, ElasticAddresses, EndpointKind, FtpsService, FtpsStage, PrivateAddresses, ServerCertificate, ServiceNetwork } from '../../lib';
import { StackOfAnyZone } from '../../lib/stack-of-any-zone';
import { prod } from '../environments/prod';
import { packs } from './packs';

const env = { account: '111122223333', region: 'eu-central-1' };
const domainName = 'ftps.example.com';

/** Each is a stage or stack of this app. */
export function variantsApp(props?: AppProps): App {
  const app = new App(props);
  new FtpsStage(app, 'load-balancer', { settings: { ...prod, name: 'load-balancer', endpoint: EndpointKind.LOAD_BALANCER, networkFirewall: true } });
  existingVpc(app);
  privateOnly(app);
  return app;
}

/** As examples/existing-vpc, with a zone delegated from another account, IPv6, room to grow, a shared image, and one key of another team. */
function existingVpc(app: App): void {
  const stack = new Stack(app, 'existing-vpc', { env, terminationProtection: true });
  const { zone } = new DelegatedZone(stack, 'Zone', {
    zoneName: domainName,
    parentZoneName: 'example.com',
    delegationRoleArn: 'arn:aws:iam::444455556666:role/delegates-ftps.example.com',
  });
  const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: ['eu-central-1a', 'eu-central-1b'],
    publicSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
    publicSubnetRouteTableIds: ['rtb-0123456789abcdef0', 'rtb-0123456789abcdef1'],
  });
  const endpoint = new ElasticAddresses(stack, 'Addresses', { count: 3 });
  new FtpsService(stack, 'Ftps', {
    domainName,
    hostedZone: zone,
    vpc,
    imageBuildCidr: '10.0.255.0/28',
    clientCidrs: ['203.0.113.0/24', '2001:db8::/32'],
    clientPrefixLists: [PrefixList.fromPrefixListId(stack, 'Partners', 'pl-0123456789abcdef0')],
    ipv6: true,
    maxInstances: 3,
    warmInstances: 1,
    image: { shareWithAccounts: ['444455556666'], copyToRegions: ['eu-west-1'] },
    endpoint,
    encryptionKey: Key.fromKeyArn(stack, 'Key', `arn:aws:kms:${env.region}:${env.account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`),
  });
}

/** As examples/private. */
function privateOnly(app: App): void {
  const stack = new StackOfAnyZone(app, 'private', { env, terminationProtection: true });
  const { vpc, serviceEndpoints } = new ServiceNetwork(stack, 'Network', { internet: false });
  serviceEndpoints!.allowFromCidr('10.42.0.0/20'); // the network's own; cdk-nag can't read a reference
  new FtpsService(stack, 'Ftps', {
    domainName,
    hostedZone: new PrivateHostedZone(stack, 'Zone', { zoneName: 'example.com', vpc }),
    vpc,
    vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
    clientCidrs: ['10.0.0.0/8'],
    endpoint: new PrivateAddresses(stack, 'Addresses'),
    certificate: ServerCertificate.fromAcm(stack, 'Certificate', {
      certificate: Certificate.fromCertificateArn(stack, 'Acm', `arn:aws:acm:${env.region}:${env.account}:certificate/11111111-2222-3333-4444-555555555555`),
      names: [domainName],
    }),
  });
}

if (require.main === module) {
  const app = variantsApp();
  Validations.of(app).addPlugins(...packs(app));
}
