import { App, Aspects, CfnResource, type IAspect, Names, PermissionsBoundary, Stack } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { FtpsService } from 'cdk-ftps';
import type { IConstruct } from 'constructs';

const app = new App();
const stack = new Stack(app, 'Partners', {
  env: { region: 'eu-central-1', account: '111122223333' },
  permissionsBoundary: PermissionsBoundary.fromName('company-boundary'),
});
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });

new FtpsService(stack, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'] });

// Every role has a name and a path by which it is known whose it is, also those that AWS CDK makes for its custom resources.
class RoleNames implements IAspect {
  visit(node: IConstruct): void {
    if (!CfnResource.isCfnResource(node) || node.cfnResourceType !== 'AWS::IAM::Role') return;
    node.addPropertyOverride('Path', '/files/');
    node.addPropertyOverride('RoleName', `files-${Names.uniqueResourceName(node, { maxLength: 58 })}`);
  }
}
Aspects.of(stack).add(new RoleNames());
