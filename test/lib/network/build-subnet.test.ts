/** Where images are built: from there a machine gets out, in the network of the kit and in a VPC of yours. */
import { Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { FtpsService, type FtpsServiceProps } from '../../../lib';
import { endOf } from '../../../lib/network/build-subnet';
import { type Resources, serviceTemplate, testStack } from '../support';

const clientCidrs = ['203.0.113.0/24'];

/** The subnet in which images are built: its properties, or its id where it is yours. */
function buildsIn(template: Template): Resources | string {
  const [{ Properties }] = Object.values(template.findResources('AWS::ImageBuilder::InfrastructureConfiguration') as Resources) as [Resources];
  const { SubnetId } = Properties;
  return typeof SubnetId === 'string' ? SubnetId : template.toJSON()['Resources'][SubnetId.Ref].Properties;
}

function inYours(attributes: object, props: Partial<FtpsServiceProps> = {}): Template {
  const { stack, hostedZone } = testStack();
  const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', { vpcId: 'vpc-0123456789abcdef0', availabilityZones: ['eu-central-1a'], ...attributes });
  new FtpsService(stack, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs, vpc, ...props });
  return Template.fromStack(stack);
}
const open = { publicSubnetIds: ['subnet-0123456789abcdef0'], publicSubnetRouteTableIds: ['rtb-0123456789abcdef0'] };

it('the network of the kit has a subnet that gives addresses to these machines, beside those of the instances that give none', () => {
  const template = serviceTemplate();
  expect(buildsIn(template)).toMatchObject({ MapPublicIpOnLaunch: true, CidrBlock: '10.42.15.240/28' });
  const others = Object.values(template.findResources('AWS::EC2::Subnet') as Resources).filter(({ Properties }) => Properties.CidrBlock !== '10.42.15.240/28');
  expect(others.map(({ Properties }) => Properties.MapPublicIpOnLaunch)).toEqual([false, false]);
  // Neither instances nor files lie in it.
  const group = JSON.stringify(template.findResources('AWS::AutoScaling::AutoScalingGroup'));
  expect(group).not.toContain('NetworkBuild');
  template.resourceCountIs('AWS::EFS::MountTarget', 2);
  expect(Object.keys(template.findResources('AWS::EC2::Route', { Properties: { DestinationCidrBlock: '0.0.0.0/0' } }))).toHaveLength(3);
});

it('a VPC of yours is given one where you name a free range, with the way out of its public subnets', () => {
  const template = inYours(open, { imageBuildCidr: '10.0.255.0/28' });
  expect(buildsIn(template)).toMatchObject({ MapPublicIpOnLaunch: true, CidrBlock: '10.0.255.0/28', VpcId: 'vpc-0123456789abcdef0' });
  template.hasResourceProperties('AWS::EC2::SubnetRouteTableAssociation', { RouteTableId: 'rtb-0123456789abcdef0' });
});

it('a VPC of yours with NAT needs none', () => {
  expect(buildsIn(inYours({ ...open, privateSubnetIds: ['subnet-0123456789abcdef1'], privateSubnetRouteTableIds: ['rtb-0123456789abcdef1'] }))).toBe(
    'subnet-0123456789abcdef1',
  );
});

it('without any known way out synthesis stops and says what would do', () => {
  expect(() => inYours(open)).toThrow(/vpc: has no subnet of which it is known that a machine gets out .* Give imageBuildCidr, .* or imageBuildSubnet/);
});

it('lies at the end of the range', () => {
  expect([endOf('10.42.0.0/20'), endOf('192.168.1.0/24'), endOf('10.0.0.0/8')]).toEqual(['10.42.15.240/28', '192.168.1.240/28', '10.255.255.240/28']);
});
