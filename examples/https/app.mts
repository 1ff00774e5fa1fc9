import { App, Duration, Stack } from 'aws-cdk-lib';
import { Certificate, CertificateValidation } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  CachePolicy,
  Distribution,
  HttpVersion,
  OriginProtocolPolicy,
  OriginRequestPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { VpcOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Peer, Port, SecurityGroup, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { NetworkLoadBalancer, Protocol } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import { CfnWebACL } from 'aws-cdk-lib/aws-wafv2';
import { FtpsService } from 'cdk-ftps';

const app = new App();
// The certificate and the web ACL of CloudFront have to be in us-east-1; for a service elsewhere they go into a stack of their own there.
const stack = new Stack(app, 'Partners', { env: { region: 'us-east-1', account: '111122223333' } });
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
const vpc = new Vpc(stack, 'Vpc', {
  natGateways: 0,
  maxAzs: 2,
  subnetConfiguration: [
    { name: 'Public', subnetType: SubnetType.PUBLIC },
    { name: 'Web', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 28 },
  ],
});

// Partners with clients reach ftps.example.com from their networks; browsers reach files.example.com from anywhere, by CloudFront.
const service = new FtpsService(stack, 'Ftps', {
  domainName: 'ftps.example.com',
  alternativeNames: ['files.example.com'],
  hostedZone,
  vpc,
  clientCidrs: ['203.0.113.0/24'],
  server: {
    https: {},
    // Everybody who comes by CloudFront has its few addresses here; who guesses at passwords there is told apart by WAF.
    overrides: { limits: { sessionsPerAddress: 2_000, strangersPerAddress: 2_000, lockout: { failuresPerAddress: 200 } } },
  },
});

// CloudFront comes through the VPC, to a load balancer that the internet does not reach. It passes TCP through: TLS ends at the server.
// The list is one of AWS, with an id of its own in each region: `aws ec2 describe-managed-prefix-lists
// --filters Name=prefix-list-name,Values=com.amazonaws.global.cloudfront.origin-facing` says which. It weighs as much as 55 rules of a security group.
const door = new SecurityGroup(stack, 'WebDoor', { vpc, description: 'HTTPS of CloudFront', allowAllOutbound: false });
door.addIngressRule(Peer.prefixList('pl-0123456789abcdef0'), Port.tcp(443), 'com.amazonaws.global.cloudfront.origin-facing');
const balancer = new NetworkLoadBalancer(stack, 'Web', {
  vpc,
  internetFacing: false,
  vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
  securityGroups: [door],
});
const targets = balancer.addListener('Https', { port: 443, protocol: Protocol.TCP }).addTargets('Https', { port: 443, protocol: Protocol.TCP });
service.fleet.autoScalingGroup.attachToNetworkTargetGroup(targets);
service.connections.allowFrom(door, Port.tcp(443), 'HTTPS of CloudFront');

const metric = (metricName: string) => ({ metricName, cloudWatchMetricsEnabled: true, sampledRequestsEnabled: true });
const path = (regexString: string) => ({
  regexMatchStatement: { regexString, fieldToMatch: { uriPath: {} }, textTransformations: [{ priority: 0, type: 'NONE' }] },
});
/** Not of files: those may hold anything, and what is in them is for the scanner. */
const managed = (name: string, priority: number) => ({
  name,
  priority,
  overrideAction: { none: {} },
  statement: {
    managedRuleGroupStatement: { vendorName: 'AWS', name, scopeDownStatement: { notStatement: { statement: path('^/api/v1/(files|uploads|shared)/') } } },
  },
  visibilityConfig: metric(name),
});
const firewall = new CfnWebACL(stack, 'Firewall', {
  scope: 'CLOUDFRONT',
  defaultAction: { allow: {} },
  visibilityConfig: metric('Firewall'),
  rules: [
    {
      name: 'SignIns',
      priority: 0,
      action: { block: {} },
      statement: { rateBasedStatement: { aggregateKeyType: 'IP', limit: 20, evaluationWindowSec: 300, scopeDownStatement: path('^/api/v1/sign-in$') } },
      visibilityConfig: metric('SignIns'),
    },
    managed('AWSManagedRulesAmazonIpReputationList', 1),
    managed('AWSManagedRulesKnownBadInputsRuleSet', 2),
  ],
});

const distribution = new Distribution(stack, 'Distribution', {
  domainNames: ['files.example.com'],
  certificate: new Certificate(stack, 'WebCertificate', { domainName: 'files.example.com', validation: CertificateValidation.fromDns(hostedZone) }),
  minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
  httpVersion: HttpVersion.HTTP2_AND_3,
  webAclId: firewall.attrArn,
  defaultBehavior: {
    origin: VpcOrigin.withNetworkLoadBalancer(balancer, {
      protocolPolicy: OriginProtocolPolicy.HTTPS_ONLY,
      readTimeout: Duration.seconds(120), // an upload is answered when it is scanned
      keepaliveTimeout: Duration.seconds(45), // less than https.keepAliveSeconds of the server
    }),
    viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
    allowedMethods: AllowedMethods.ALLOW_ALL,
    cachePolicy: CachePolicy.CACHING_DISABLED,
    originRequestPolicy: OriginRequestPolicy.ALL_VIEWER, // the server has to see host name, cookie and token
    compress: false,
  },
});
new ARecord(stack, 'WebName', { zone: hostedZone, recordName: 'files', target: RecordTarget.fromAlias(new CloudFrontTarget(distribution)) });
