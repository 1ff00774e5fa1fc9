/** Addresses, DNS records and slices of ports, kept in step with the instances. */
import { roleOf } from '../evaluate';
import { arn, instance, type Table } from './step';

const records = (name: string, type: string) => ({
  'route53:ChangeResourceRecordSetsNormalizedRecordNames': [name],
  'route53:ChangeResourceRecordSetsRecordTypes': [type],
  'route53:ChangeResourceRecordSetsActions': ['UPSERT'],
});

export const elasticAddresses: Table = (deployment) => {
  const who = roleOf(deployment, 'Fleet/Addresses/Lambda/Role');
  const pool = deployment.all('AWS::EC2::EIP').map(({ ref }) => arn('ec2', `elastic-ip/${ref}.AllocationId`));
  const network = arn('ec2', 'network-interface/eni-0123456789abcdef0');
  const zone = 'arn:aws:route53:::hostedzone/Z0000000000000PROD';
  return [
    {
      step: 'An instance comes or goes: it gets an address of the pool, and DNS names those that serve',
      who,
      page: 'Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2"; Amazon Route 53 developer guide, "Using IAM policy conditions for fine-grained access control" (lib/endpoint/address-lifecycle)',
      may: [
        ['autoscaling:DescribeAutoScalingGroups ec2:DescribeAddresses ec2:DescribeInstances', '*'],
        ['ec2:AssociateAddress', [...pool, instance, network]],
        ['ec2:DisassociateAddress', [...pool, network]],
        ['route53:ListResourceRecordSets', zone],
        ['route53:ChangeResourceRecordSets', zone, records('ftps.example.com', 'A')],
        ['route53:ChangeResourceRecordSets', zone, records('ftps.example.com', 'AAAA')],
      ],
      not: [
        ['ec2:AssociateAddress ec2:DisassociateAddress', arn('ec2', 'elastic-ip/eipalloc-somebody-elses')],
        ['ec2:ReleaseAddress', pool],
        ['route53:ChangeResourceRecordSets', zone, records('www.example.com', 'A')],
        ['route53:ChangeResourceRecordSets', zone, records('ftps.example.com', 'MX')],
        ['route53:ChangeResourceRecordSets', 'arn:aws:route53:::hostedzone/ZANOTHER', records('ftps.example.com', 'A')],
        ['route53:DeleteHostedZone', zone],
      ],
    },
  ];
};

export const existingAddresses: Table = (deployment) => [
  {
    step: 'A deployment looks up the addresses of allocations that are there already',
    who: roleOf(deployment, 'Taken/Existing/LookUp/Role'),
    page: 'Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2" (lib/endpoint/address-lookup)',
    may: [['ec2:DescribeAddresses', '*']],
    not: [['ec2:ReleaseAddress ec2:AssociateAddress', arn('ec2', 'elastic-ip/eipalloc-0123456789abcdef0')]],
  },
];

export const loadBalancer: Table = (deployment) => {
  const who = roleOf(deployment, 'Balancer/Slots/Role');
  const zone = 'arn:aws:route53:::hostedzone/Z0123456789EXAMPLE';
  const group = deployment.all('AWS::AutoScaling::AutoScalingGroup')[0]!.ref;
  const targets = arn('elasticloadbalancing', 'targetgroup/one/0123456789abcdef');
  // What the template tags its target groups with.
  const tags: { Key: string; Value: string }[] = deployment.all('AWS::ElasticLoadBalancingV2::TargetGroup')[0]!.properties.Tags;
  const tagged = Object.fromEntries(tags.map(({ Key, Value }) => [`aws:ResourceTag/${Key}`, Value]));
  const ofGroup = (name: string) => ({ 'aws:ResourceTag/aws:autoscaling:groupName': name, 'aws:TagKeys': ['ftps-slot'] });
  return [
    {
      step: 'An instance comes or goes: it gets a slice of the ports, which lead to it alone',
      who,
      page: 'Service Authorization Reference, "Actions, resources, and condition keys for AWS Elastic Load Balancing V2" (lib/endpoint/slot-lifecycle)',
      may: [
        [
          'autoscaling:DescribeAutoScalingGroups ec2:DescribeInstances elasticloadbalancing:DescribeTargetGroups elasticloadbalancing:DescribeTargetHealth',
          '*',
        ],
        ['elasticloadbalancing:RegisterTargets elasticloadbalancing:DeregisterTargets', targets, tagged],
        ['ec2:CreateTags', instance, ofGroup(group)],
      ],
      not: [
        ['elasticloadbalancing:RegisterTargets', targets],
        ['elasticloadbalancing:DeleteTargetGroup', targets, tagged],
        ['ec2:CreateTags', instance, ofGroup('another')],
        ['ec2:CreateTags', instance, { ...ofGroup(group), 'aws:TagKeys': ['ftps-slot', 'cdk-ftps:fleet'] }],
      ],
    },
    {
      step: 'A deployment makes the host name lead to the load balancer, in place of what it led to',
      who,
      page: 'Amazon Route 53 developer guide, "Using IAM policy conditions for fine-grained access control" (lib/endpoint/slot-lifecycle)',
      may: [
        ['route53:ListResourceRecordSets', zone],
        ['route53:ChangeResourceRecordSets', zone, records('ftps.example.com', 'A')],
        ['route53:ChangeResourceRecordSets', zone, records('ftps.example.com', 'AAAA')],
      ],
      not: [
        ['route53:ChangeResourceRecordSets', zone, records('www.example.com', 'A')],
        ['route53:ChangeResourceRecordSets', 'arn:aws:route53:::hostedzone/ZANOTHER', records('ftps.example.com', 'A')],
      ],
    },
  ];
};
