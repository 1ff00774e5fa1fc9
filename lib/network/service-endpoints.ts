/** The AWS APIs within a VPC, for instances that reach no internet. */

import {
  type Connections,
  GatewayVpcEndpointAwsService,
  type IConnectable,
  InterfaceVpcEndpointAwsService,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  type SubnetSelection,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { refuseUnknownProps } from '../known-props';

/** What `ServiceEndpoints` is told. */
export interface ServiceEndpointsProps {
  /** Network that gets the endpoints. */
  readonly vpc: IVpc;
  /**
   * Subnets of the interface endpoints.
   * @default - one per zone, as the VPC chooses
   */
  readonly vpcSubnets?: SubnetSelection;
  /**
   * Whether a gateway endpoint for S3 is made; the packages of Amazon Linux come from S3 as well.
   * @default true
   */
  readonly s3?: boolean;
}

/** What an instance calls: accounts and certificate, keys, log agent, hooks of its group, Session Manager, its address, what it announces of uploads; and Image Builder's machines, their service. */
const SERVICES: Readonly<Record<string, InterfaceVpcEndpointAwsService>> = {
  SecretsManager: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
  Kms: InterfaceVpcEndpointAwsService.KMS,
  Logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
  Monitoring: InterfaceVpcEndpointAwsService.CLOUDWATCH_MONITORING,
  AutoScaling: InterfaceVpcEndpointAwsService.AUTOSCALING,
  Ssm: InterfaceVpcEndpointAwsService.SSM,
  SsmMessages: InterfaceVpcEndpointAwsService.SSM_MESSAGES,
  Ec2Messages: InterfaceVpcEndpointAwsService.EC2_MESSAGES,
  Efs: InterfaceVpcEndpointAwsService.ELASTIC_FILESYSTEM,
  ImageBuilder: InterfaceVpcEndpointAwsService.IMAGE_BUILDER,
  EventBridge: InterfaceVpcEndpointAwsService.EVENTBRIDGE,
};

/** VPC endpoints for the AWS APIs that instances need, for a network without a way to the internet. */
export class ServiceEndpoints extends Construct implements IConnectable {
  /** For rules of yours. */
  public readonly connections: Connections;
  private readonly securityGroup: SecurityGroup;

  constructor(scope: Construct, id: string, props: ServiceEndpointsProps) {
    super(scope, id);
    refuseUnknownProps(props, 'ServiceEndpointsProps');
    const { vpc, vpcSubnets, s3 = true } = props;
    this.securityGroup = new SecurityGroup(this, 'SecurityGroup', { vpc, description: 'AWS APIs for the FTPS instances', allowAllOutbound: false });
    this.connections = this.securityGroup.connections;
    for (const [name, service] of Object.entries(SERVICES))
      vpc.addInterfaceEndpoint(`${this.node.id}${name}`, {
        service,
        subnets: vpcSubnets,
        securityGroups: [this.securityGroup],
        open: false,
        privateDnsEnabled: true,
      });
    if (s3) vpc.addGatewayEndpoint(`${this.node.id}S3`, { service: GatewayVpcEndpointAwsService.S3 });
    // Lock-outs that instances share. A gateway costs nothing.
    vpc.addGatewayEndpoint(`${this.node.id}DynamoDb`, { service: GatewayVpcEndpointAwsService.DYNAMODB });
  }

  /** Lets these instances reach the endpoints. */
  public allowFrom(instances: IConnectable): void {
    this.securityGroup.connections.allowFrom(instances, Port.tcp(443), 'AWS APIs from the FTPS instances');
  }

  /** Lets a whole network reach the endpoints: the instances, and the machines that build their image. */
  public allowFromCidr(cidr: string): void {
    this.securityGroup.addIngressRule(Peer.ipv4(cidr), Port.tcp(443), 'AWS APIs from the VPC');
  }
}
