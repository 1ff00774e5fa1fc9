/** AWS Network Firewall between the internet and the instances: the ports of the service from its clients, HTTPS outwards, and nothing else. */

import { Fn, Lazy } from 'aws-cdk-lib';
import { CfnGatewayRouteTableAssociation, CfnRoute, CfnRouteTable, type ISubnet, type Subnet, type Vpc } from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnFirewall, CfnFirewallPolicy, CfnLoggingConfiguration, CfnRuleGroup } from 'aws-cdk-lib/aws-networkfirewall';
import { Construct } from 'constructs';
import { acknowledgeRegulations } from '../compliance/acknowledge';
import { encryptBelow } from '../encryption/given-key';
import { refuseUnknownProps } from '../known-props';
import { stableName } from '../names';
import type { Opening } from '../protocols/protocol';
import { logKey } from './log-key';
import type { PassivePorts } from './passive-ports';
import { openingsOf, type ServicePort } from './service-port';

/** What `ServiceFirewall` is told. */
export interface ServiceFirewallProps {
  /** Network of the service. */
  readonly vpc: Vpc;
  /** Subnets of the firewall, one per zone, from which the internet is reached. */
  readonly firewallSubnets: ISubnet[];
  /** Subnets of the instances, one per zone, in the same order. */
  readonly protectedSubnets: ISubnet[];
  /**
   * Key that encrypts what the firewall logs.
   * @default - the one of what it lies in, or a new one
   */
  readonly encryptionKey?: IKey;
}

/** What comes in. */
export interface FirewallOpening {
  /** Control ports, 21 and 990 as a rule. */
  readonly controlPorts: number[];
  /** The passive range. */
  readonly passivePorts: PassivePorts;
  /**
   * Ports of other protocols.
   * @default - none
   */
  readonly furtherPorts?: ServicePort[];
  /**
   * Ports beside 443 at which instances reach whatever address: those of partners of AS2, endpoints of webhooks and issuers of tokens.
   * @default - none
   */
  readonly outboundPorts?: number[];
  /** Networks of clients, IPv4. */
  readonly clientCidrs: string[];
  /**
   * Whether the clients are reached on ports from 1024 up, for active mode.
   * @default false
   */
  readonly activeMode?: boolean;
}

/** AWS Network Firewall between the internet and the instances. Made by `ServiceNetwork`, opened by `FtpsService`. */
export class ServiceFirewall extends Construct {
  private readonly openings: FirewallOpening[] = [];

  constructor(scope: Construct, id: string, props: ServiceFirewallProps) {
    super(scope, id);
    refuseUnknownProps(props, 'ServiceFirewallProps');
    encryptBelow(this, props.encryptionKey);
    const { vpc, firewallSubnets, protectedSubnets } = props;
    const name = stableName(this).replaceAll('/', '-');
    const rules = new CfnRuleGroup(this, 'Rules', {
      ruleGroupName: name,
      type: 'STATEFUL',
      capacity: 100,
      ruleGroup: {
        ruleVariables: { ipSets: { HOME_NET: { definition: [vpc.vpcCidrBlock] } } },
        rulesSource: { rulesString: Lazy.string({ produce: () => this.rules() }) },
        statefulRuleOptions: { ruleOrder: 'STRICT_ORDER' },
      },
    });
    const policy = new CfnFirewallPolicy(this, 'Policy', {
      firewallPolicyName: name,
      firewallPolicy: {
        statelessDefaultActions: ['aws:forward_to_sfe'],
        statelessFragmentDefaultActions: ['aws:forward_to_sfe'],
        statefulEngineOptions: { ruleOrder: 'STRICT_ORDER' },
        statefulDefaultActions: ['aws:drop_strict', 'aws:alert_strict'],
        statefulRuleGroupReferences: [{ resourceArn: rules.attrRuleGroupArn, priority: 1 }],
      },
    });
    const logGroup = new LogGroup(this, 'Log', { encryptionKey: logKey(this, 'LogKey', 'Network Firewall of FTPS'), retention: RetentionDays.ONE_YEAR });
    const inbound = new CfnRouteTable(this, 'Inbound', { vpcId: vpc.vpcId });
    new CfnGatewayRouteTableAssociation(this, 'InboundOfGateway', { gatewayId: vpc.internetGatewayId!, routeTableId: inbound.ref });
    for (const [index, subnet] of firewallSubnets.entries()) {
      const zone = index + 1;
      // One for each zone, because the endpoints of one firewall come in no order that says which zone they are in.
      const firewall = new CfnFirewall(this, `Firewall${zone}`, {
        firewallName: `${name}-${zone}`,
        vpcId: vpc.vpcId,
        firewallPolicyArn: policy.attrFirewallPolicyArn,
        subnetMappings: [{ subnetId: subnet.subnetId }],
      });
      new CfnLoggingConfiguration(this, `Logging${zone}`, {
        firewallArn: firewall.attrFirewallArn,
        loggingConfiguration: {
          logDestinationConfigs: [{ logType: 'ALERT', logDestinationType: 'CloudWatchLogs', logDestination: { logGroup: logGroup.logGroupName } }],
        },
      });
      const endpoint = Fn.select(1, Fn.split(':', Fn.select(0, firewall.attrEndpointIds)));
      const out = new CfnRoute(this, `Out${zone}`, {
        routeTableId: subnet.routeTable.routeTableId,
        destinationCidrBlock: '0.0.0.0/0',
        gatewayId: vpc.internetGatewayId!,
      });
      acknowledgeRegulations(out, 'VPCNoUnrestrictedRouteToIGW', 'Only the firewall lies in this subnet; instances reach the internet through it alone.');
      const behind = protectedSubnets[index]!;
      new CfnRoute(this, `In${zone}`, { routeTableId: inbound.ref, destinationCidrBlock: behind.ipv4CidrBlock, vpcEndpointId: endpoint });
      const way = (behind as Subnet).node.findChild('DefaultRoute') as CfnRoute;
      way.gatewayId = undefined;
      way.vpcEndpointId = endpoint;
    }
  }

  /** Lets these clients reach these ports. */
  public open(opening: FirewallOpening): void {
    const wrong = opening.clientCidrs.find((cidr) => cidr.includes(':'));
    if (wrong) throw new Error(`clientCidrs: ${wrong} is IPv6, and Network Firewall is in the way of IPv4 alone here; leave it or the firewall out`);
    this.openings.push(opening);
  }

  /** Suricata's rules, in the order in which they count. */
  private rules(): string {
    const inward = this.openings.map(
      (opening, index) =>
        `pass tcp [${opening.clientCidrs.join(',')}] any -> $HOME_NET [${openingsOf(opening).map(inSuricata).join(',')}] (msg:"FTPS"; sid:${index + 1};)`,
    );
    const outward = this.openings.flatMap(({ clientCidrs, activeMode }, index) =>
      activeMode ? [`pass tcp $HOME_NET any -> [${clientCidrs.join(',')}] 1024:65535 (msg:"FTPS active mode"; sid:${501 + index};)`] : [],
    );
    const others = [...new Set(this.openings.flatMap(({ outboundPorts = [] }) => outboundPorts))].map(
      (port, index) => `pass tcp $HOME_NET any -> any ${port} (msg:"AS2 partners, webhooks, issuers"; sid:${1001 + index};)`,
    );
    return [...inward, ...outward, ...others, 'pass tcp $HOME_NET any -> any 443 (msg:"AWS APIs and packages"; sid:1000;)'].join('\n');
  }
}

const inSuricata = ({ low, high, beginsSessions }: Opening) => (beginsSessions ? `${low}` : `${low}:${high}`);
