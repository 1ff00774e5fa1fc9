/** What the stack of a service tells partners and operators: host name, ports, addresses, and the names that commands ask for. */
import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { ServerConfig } from '../../server/config';
import type { As2Keys } from '../as2/keys';
import type { ServerCertificate } from '../certificate/server-certificate';
import type { IFtpsEndpoint } from '../endpoint/endpoint';
import type { SessionLog } from '../fleet/session-log';
import type { IFtpsAccounts } from '../identity/accounts';
import type { ServerImage } from '../image/server-image';
import { protocols } from '../protocols/all';
import type { HostKeys } from '../sftp/host-keys';

/** Parts that have something to tell. */
export interface ToldParts {
  readonly hostKeys?: HostKeys;
  readonly as2Keys?: As2Keys;
  readonly endpoint: IFtpsEndpoint;
  readonly accounts: IFtpsAccounts;
  readonly certificates: readonly ServerCertificate[];
  readonly sessionLog: SessionLog;
  readonly image: ServerImage;
}

export function addOutputs(scope: Construct, domainName: string, config: ServerConfig, parts: ToldParts): void {
  const { endpoint, accounts } = parts;
  new CfnOutput(scope, 'HostName', { value: domainName, description: 'What clients connect to' });
  for (const { id, value, description } of protocols.flatMap((one) => one.outputs(config, domainName))) new CfnOutput(scope, id, { value, description });
  parts.hostKeys?._addOutputs();
  parts.as2Keys?._addOutputs();
  // Beside the addresses: an output that only repeats an import from another stack says nothing.
  if (endpoint.addresses.length > 0)
    new CfnOutput(endpoint, 'AllowList', { value: endpoint.addresses.join(','), description: 'Addresses that partners allow' });
  accounts.addOutputs(accounts);
  parts.certificates.forEach((certificate, index) => {
    const { rotationFunction } = certificate;
    if (rotationFunction)
      new CfnOutput(Stack.of(certificate) === Stack.of(scope) ? scope : certificate, `CertificateRotation${index === 0 ? '' : index + 1}`, {
        value: rotationFunction.functionName,
        description: 'For ftps certificate --function',
      });
  });
  new CfnOutput(scope, 'SessionDocument', { value: parts.sessionLog.documentName, description: 'For aws ssm start-session --document-name' });
  new CfnOutput(scope, 'ImageId', { value: parts.image.imageId, description: 'Image that the instances started from' });
}
