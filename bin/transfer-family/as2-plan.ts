/** What becomes of AS2 in AWS Transfer Family here: agreements in the words of the constructs, certificates of partners, and what a person has to do. */
import type { As2ConnectorConfig, DescribedAgreement, DescribedCertificate, DescribedConnector, DescribedProfile } from '@aws-sdk/client-transfer';
import type { TransferAs2 } from './as2';

/** A value of an enum of the constructs. */
export interface Choice {
  readonly of: 'As2Digest' | 'As2Cipher' | 'As2Compression' | 'As2Receipt';
  readonly choice: string;
}

export type Value = string | boolean | Choice | readonly Value[];

export interface PlannedPartner {
  /** Its AS2 name. */
  readonly as2Id: string;
  /** A name for the account that stands for it. */
  readonly account: string;
  /** Where its messages lay, below the bucket or file system. */
  readonly home: string | undefined;
  /** Props of `As2Partner`, certificates by the names of their files. */
  readonly partner: Readonly<Record<string, Value>>;
  /** Props of `As2Agreement`. */
  readonly agreement: Readonly<Record<string, Value>>;
}

export interface As2Plan {
  /** Our AS2 name: a service has one. */
  readonly as2Id: string;
  readonly partners: readonly PlannedPartner[];
  /** PEM by file name. */
  readonly certificates: Readonly<Record<string, string>>;
  /** What can't be taken over, and why. */
  readonly leftOut: readonly { readonly what: string; readonly reason: string }[];
  readonly advice: readonly string[];
}

const LETTERS = /^[\x20-\x7e]{1,128}$/;
const IN_USE = ['ACTIVE', 'PENDING_ROTATION'];

/** One plan for each local profile that is used, and one for what belongs to none. */
export function planAs2({ profiles, certificates, agreements, connectors }: TransferAs2): As2Plan[] {
  const locals = profiles.filter(({ ProfileType }) => ProfileType === 'LOCAL');
  const plans = locals.map((local) => {
    const mine = agreements.filter(({ LocalProfileId }) => LocalProfileId === local.ProfileId);
    const outward = connectors.filter(({ As2Config: as2 }) => as2?.LocalProfileId === local.ProfileId);
    return planOf(local, { profiles, certificates, agreements: mine, connectors: outward });
  });
  const sftp = connectors.filter(({ SftpConfig }) => SftpConfig);
  if (sftp.length === 0) return plans;
  const leftOut = sftp.map(({ ConnectorId }) => ({
    what: `connector ${ConnectorId}`,
    reason: 'is one of SFTP, and this service takes connections and makes none',
  }));
  return [...plans, { as2Id: '', partners: [], certificates: {}, leftOut, advice: [] }];
}

function planOf(local: DescribedProfile, { profiles, certificates, agreements, connectors }: TransferAs2): As2Plan {
  const leftOut: { what: string; reason: string }[] = [];
  const files: Record<string, string> = {};
  const partners: PlannedPartner[] = [];
  const advice = new Set<string>();
  const used = new Set([...agreements.map(({ PartnerProfileId }) => PartnerProfileId), ...connectors.map(({ As2Config: as2 }) => as2?.PartnerProfileId)]);
  for (const profile of profiles.filter(({ ProfileId }) => used.has(ProfileId))) {
    const as2Id = profile.As2Id ?? '';
    if (!LETTERS.test(as2Id) || as2Id.trim() !== as2Id) {
      leftOut.push({
        what: `profile ${profile.ProfileId}`,
        reason: `${JSON.stringify(as2Id)} is no AS2 name here: 1 to 128 printable ASCII characters, no blanks at its ends`,
      });
      continue;
    }
    const [agreement, ...furtherAgreements] = agreements.filter(
      ({ PartnerProfileId, Status }) => PartnerProfileId === profile.ProfileId && Status === 'ACTIVE',
    );
    const [connector, ...furtherConnectors] = connectors.filter(({ As2Config: as2 }) => as2?.PartnerProfileId === profile.ProfileId);
    for (const one of agreements.filter(({ PartnerProfileId, Status }) => PartnerProfileId === profile.ProfileId && Status !== 'ACTIVE'))
      leftOut.push({ what: `agreement ${one.AgreementId}`, reason: 'is not active' });
    for (const one of furtherAgreements)
      leftOut.push({ what: `agreement ${one.AgreementId}`, reason: `there is another one with "${as2Id}", ${agreement!.AgreementId}` });
    for (const one of furtherConnectors)
      leftOut.push({ what: `connector ${one.ConnectorId}`, reason: `there is another one to "${as2Id}", ${connector!.ConnectorId}` });
    if (!agreement && !connector) continue;
    const own = certificates.filter(({ CertificateId }) => profile.CertificateIds?.includes(CertificateId!));
    const account = freeName(accountNamed(as2Id), partners);
    partners.push(partnerOf({ as2Id, account }, own, { agreement, connector }, files));
    for (const line of [...adviceOnAgreement(as2Id, agreement), ...adviceOnConnector(as2Id, connector)]) advice.add(line);
    for (const one of own.filter(({ Status }) => !IN_USE.includes(Status!)))
      leftOut.push({ what: `certificate ${one.CertificateId} of "${as2Id}"`, reason: `is ${one.Status?.toLowerCase()}` });
  }
  return { as2Id: local.As2Id ?? '', partners, certificates: files, leftOut, advice: [...adviceOnOurs(local), ...advice] };
}

function partnerOf(
  { as2Id, account }: Pick<PlannedPartner, 'as2Id' | 'account'>,
  certificates: readonly DescribedCertificate[],
  { agreement, connector }: { readonly agreement: DescribedAgreement | undefined; readonly connector: DescribedConnector | undefined },
  files: Record<string, string>,
): PlannedPartner {
  const put = (one: DescribedCertificate, usage: string) => {
    const name = `${account}-${usage}-${one.CertificateId!.slice(-6)}.pem`;
    files[name] = `${one.Certificate!.trim()}\n`;
    return name;
  };
  const active = (usage: string) =>
    certificates
      .filter(({ Usage, Status }) => Usage === usage && IN_USE.includes(Status!))
      // Who is about to be replaced comes last.
      .sort((one, other) => IN_USE.indexOf(one.Status!) - IN_USE.indexOf(other.Status!));
  const signing = active('SIGNING');
  const [encryption] = active('ENCRYPTION');
  const [tls] = active('TLS');
  const isOther = encryption !== undefined && encryption.Certificate?.trim() !== signing[0]?.Certificate?.trim();
  const as2 = connector?.As2Config;
  return {
    as2Id,
    account,
    home: agreement?.BaseDirectory ?? agreement?.CustomDirectories?.PayloadFilesDirectory,
    partner: defined({
      as2Id,
      url: connector?.Url,
      certificates: signing.map((one) => put(one, 'signing')),
      encryptionCertificate: isOther ? put(encryption, 'encryption') : undefined,
      tlsCa: tls && put(tls, 'tls'),
      allowPlainHttp: connector?.Url?.startsWith('http://') ? true : undefined,
    }),
    agreement: defined({
      account,
      requireSigned: agreement?.EnforceMessageSigning === 'DISABLED' ? false : undefined,
      ...(as2 ? sendingOf(as2) : {}),
    }),
  };
}

/** What stands in a connector, where it is not what holds here anyway. */
function sendingOf({ SigningAlgorithm, EncryptionAlgorithm, Compression, MdnResponse, MdnSigningAlgorithm, MessageSubject }: As2ConnectorConfig) {
  return {
    sign: SigningAlgorithm === 'NONE' ? false : undefined,
    signDigest: SigningAlgorithm === undefined || ['NONE', 'SHA256'].includes(SigningAlgorithm) ? undefined : choice('As2Digest', SigningAlgorithm),
    encrypt: EncryptionAlgorithm === 'NONE' ? false : undefined,
    encryptCipher:
      EncryptionAlgorithm === undefined || ['NONE', 'AES256_CBC'].includes(EncryptionAlgorithm)
        ? undefined
        : choice('As2Cipher', EncryptionAlgorithm === 'DES_EDE3_CBC' ? 'TRIPLE_DES' : EncryptionAlgorithm.replace('AES', 'AES_')),
    compression: Compression === 'ZLIB' ? choice('As2Compression', 'BEFORE_SIGNING') : undefined,
    receipt: MdnResponse === undefined || MdnResponse === 'SYNC' ? undefined : choice('As2Receipt', MdnResponse),
    receiptSigned: MdnSigningAlgorithm === 'NONE' ? false : undefined,
    subject: MessageSubject,
  };
}

const choice = (of: Choice['of'], name: string): Choice => ({ of, choice: name });

function defined(values: Readonly<Record<string, Value | undefined>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, Value] => entry[1] !== undefined));
}

/** As accounts may be called: small letters, digits and hyphens. */
function accountNamed(as2Id: string): string {
  return (
    as2Id
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '') || 'partner'
  );
}

/** AS2 names that differ in their case alone would be one account. */
function freeName(account: string, taken: readonly PlannedPartner[]): string {
  const isTaken = (name: string) => taken.some((one) => one.account === name);
  let name = account;
  for (let number = 2; isTaken(name); number += 1) name = `${account}-${number}`;
  return name;
}

function adviceOnOurs({ As2Id, CertificateIds = [] }: DescribedProfile): string[] {
  return [
    `The private keys of "${As2Id}" can't be read back from AWS${CertificateIds.length > 0 ? ` (${CertificateIds.join(', ')})` : ''}. If you have the one that was imported there, put it into a secret for As2Keys.fromSecret, and partners notice nothing; if not, give partners the certificates of As2Keys.generated in time.`,
    'Partners send to another address: keep the host name by DNS, or tell them the new url. Payloads lie in /inbox of the account; what is put into /outbox is sent, without a call of StartFileTransfer.',
  ];
}

function adviceOnAgreement(as2Id: string, agreement: DescribedAgreement | undefined): string[] {
  if (!agreement) return [`"${as2Id}" has a connector and no agreement: it sent nothing, and may send here.`];
  return [
    `Transfer Family takes messages of "${as2Id}" that are not encrypted; here they are refused unless requireEncrypted is false.`,
    ...(agreement.EnforceMessageSigning === 'DISABLED'
      ? [`Messages of "${as2Id}" did not have to be signed, and do not here; take requireSigned out where it signs.`]
      : []),
    ...(agreement.CustomDirectories
      ? [`Failed, temporary and status files of "${as2Id}" have no folders of their own here; receipts are kept as evidence (ftps as2 show).`]
      : []),
  ];
}

function adviceOnConnector(as2Id: string, connector: DescribedConnector | undefined): string[] {
  const { As2Config: as2, EgressType, Url } = connector ?? {};
  if (!as2) return [`"${as2Id}" has no connector: nothing is sent to it until it has a url.`];
  return [
    ...(as2.BasicAuthSecretId
      ? [`"${as2Id}" asks for a password over HTTP (${as2.BasicAuthSecretId}), which is not given here: agree on going without it.`]
      : []),
    ...(as2.SigningAlgorithm === 'SHA1' || as2.EncryptionAlgorithm === 'DES_EDE3_CBC'
      ? [`"${as2Id}" is sent SHA-1 or 3DES: ask it for SHA-256 and AES, and list digests and ciphers where it sends them itself.`]
      : []),
    ...(as2.MdnSigningAlgorithm && !['NONE', 'DEFAULT', as2.SigningAlgorithm].includes(as2.MdnSigningAlgorithm)
      ? [`Receipts of "${as2Id}" are asked for with the digest of the message, not with ${as2.MdnSigningAlgorithm}.`]
      : []),
    ...(as2.PreserveContentType === 'ENABLED'
      ? [`The type of what is sent to "${as2Id}" is that of the agreement (contentType), not that of each object.`]
      : []),
    ...(as2.MdnResponse === 'ASYNC'
      ? [`"${as2Id}" sends receipts to ${as2.AsyncMdnConfig?.Url ?? 'an address of the old server'}; each message tells it the new one.`]
      : []),
    ...(EgressType === 'VPC_LATTICE' ? [`"${as2Id}" is reached by VPC Lattice; the instances need a way to ${Url}.`] : []),
  ];
}
