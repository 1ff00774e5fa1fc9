/** What AWS Transfer Family's API tells of AS2: profiles, their certificates, agreements and connectors. */
import {
  DescribeAgreementCommand,
  DescribeCertificateCommand,
  DescribeConnectorCommand,
  type DescribedAgreement,
  type DescribedCertificate,
  type DescribedConnector,
  type DescribedProfile,
  DescribeProfileCommand,
  paginateListAgreements,
  paginateListConnectors,
  paginateListProfiles,
  type TransferClient,
} from '@aws-sdk/client-transfer';

export interface TransferAs2 {
  readonly profiles: readonly DescribedProfile[];
  /** Of all profiles. */
  readonly certificates: readonly DescribedCertificate[];
  readonly agreements: readonly DescribedAgreement[];
  /** Those of SFTP as well. */
  readonly connectors: readonly DescribedConnector[];
}

/** `servers`: whose agreements. */
export async function transferAs2(client: TransferClient, servers: readonly string[]): Promise<TransferAs2> {
  const profiles: DescribedProfile[] = [];
  for await (const { Profiles = [] } of paginateListProfiles({ client }, {}))
    for (const { ProfileId } of Profiles) profiles.push((await client.send(new DescribeProfileCommand({ ProfileId }))).Profile!);
  const certificates: DescribedCertificate[] = [];
  for (const CertificateId of new Set(profiles.flatMap(({ CertificateIds = [] }) => CertificateIds)))
    certificates.push((await client.send(new DescribeCertificateCommand({ CertificateId }))).Certificate!);
  const agreements: DescribedAgreement[] = [];
  for (const ServerId of servers)
    for await (const { Agreements = [] } of paginateListAgreements({ client }, { ServerId }))
      for (const { AgreementId } of Agreements) agreements.push((await client.send(new DescribeAgreementCommand({ AgreementId, ServerId }))).Agreement!);
  const connectors: DescribedConnector[] = [];
  for await (const { Connectors = [] } of paginateListConnectors({ client }, {}))
    for (const { ConnectorId } of Connectors) connectors.push((await client.send(new DescribeConnectorCommand({ ConnectorId }))).Connector!);
  return { profiles, certificates, agreements, connectors };
}
