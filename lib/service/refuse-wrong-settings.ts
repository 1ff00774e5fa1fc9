/** What a service refuses to be told, before anything would be deployed, in words that say what to write instead. */
import type { IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { ServerConfig } from '../../server/config';
import { ElasticAddresses } from '../endpoint/elastic-addresses';
import type { IFtpsEndpoint } from '../endpoint/endpoint';
import { FtpsLoadBalancer } from '../endpoint/load-balancer';
import type { FtpsServiceProps } from '../ftps-service-props';
import { refuseNamesOutside, refuseWrongHostNames } from '../host-names';
import { refuseWrongNetworks } from '../network/networks';
import { refusePublicAccess } from '../network/public-access';
import { arePrivate } from '../network/subnets';
import type { IFileStorage } from '../storage/file-storage';

/** What is wrong by itself, or with what stands beside it. */
export function refuseWrongSettings(props: FtpsServiceProps, instances: number): void {
  const { domainName, hostedZone, certificate, clientCidrs, allowPublicAccess, dnsRouting, hostKeys, as2Keys, server } = props;
  refuseWrongHostNames(domainName, props.alternativeNames ?? []);
  if (hostedZone) refuseNamesOutside(hostedZone, domainName, certificate ? [] : (props.alternativeNames ?? []));
  if (!hostedZone && !certificate) throw new Error('hostedZone: is missing; the certificate of ACM is validated in it. Give the zone, or bring a certificate');
  if (dnsRouting && !hostedZone)
    throw new Error('dnsRouting: says how records are chosen, and without hostedZone none are made; give the zone, or leave it out');
  if (hostKeys && !server?.sftp) throw new Error('hostKeys: are those of SFTP, which is off; switch it on by server.sftp, or leave them out');
  if (as2Keys && !server?.as2) throw new Error('as2Keys: are those of AS2, which is off; switch it on by server.as2, or leave them out');
  if (clientCidrs.length === 0)
    throw new Error('clientCidrs: is empty, so nobody could connect; name the networks of your partners, for example ["203.0.113.0/24"]');
  refuseWrongNetworks('clientCidrs', clientCidrs);
  refusePublicAccess(clientCidrs, allowPublicAccess);
  if (props.maxInstances !== undefined && !Number.isInteger(props.maxInstances))
    throw new Error(`maxInstances: ${props.maxInstances} is no number of instances; write a whole number`);
  if (!Number.isInteger(instances) || instances < 1) throw new Error(`instances: ${instances} is no number of instances; write 1 or more`);
}

/** What does not go with where the files are. */
export function refuseUnfitStorage(storage: IFileStorage, { eventBus }: FtpsServiceProps, instances: number): void {
  if (eventBus && storage.eventBus) throw new Error('eventBus: the storage has a bus of its own already; say it there alone');
  if (instances > 1 && !storage.isShared)
    throw new Error(`instances: ${instances} instances would each have files of their own on a local disk; use FileStorage.efs, or instances: 1`);
}

/** Each instance takes an address, or a slot of the load balancer. */
export function refuseTooFewAddresses(endpoint: IFtpsEndpoint, maxInstances: number): void {
  if (endpoint instanceof ElasticAddresses && endpoint.addresses.length < maxInstances)
    throw new Error(`endpoint: ${endpoint.addresses.length} addresses are too few for ${maxInstances} instances; each takes one`);
  if (endpoint instanceof FtpsLoadBalancer && endpoint._slots < maxInstances)
    throw new Error(`endpoint: ${endpoint._slots} slots are too few for ${maxInstances} instances; each takes one, and one more lets a new one begin early`);
}

/** An Elastic IP address leads to an instance through an internet gateway alone. */
export function refuseAddressesInside(endpoint: IFtpsEndpoint, vpc: IVpc, vpcSubnets: SubnetSelection): void {
  if (endpoint instanceof ElasticAddresses && arePrivate(vpc, vpcSubnets))
    throw new Error(
      'vpcSubnets: have no way from the internet, and Elastic IP addresses lead nowhere in them; choose public subnets, or FtpsLoadBalancer or PrivateAddresses as endpoint',
    );
}

/** What does not go with where partners connect. */
export function refuseUnfitEndpoint(endpoint: IFtpsEndpoint, config: ServerConfig): void {
  if (config.active.enabled && endpoint instanceof FtpsLoadBalancer)
    throw new Error(
      'server.overrides.active.enabled: connections to clients would come from the instances and not from the addresses of the load balancer that they know; take ElasticAddresses, or leave active mode out',
    );
}
