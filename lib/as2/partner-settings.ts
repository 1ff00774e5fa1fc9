/**
 * An agreement in the words of the server, with the certificates that it names read and looked at. Its values are known: known-at-deployment.ts has looked.
 * Nothing here loads the CDK, for the operator's command has the protocols in its bundle.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type As2Partner, ConfigError, certificatesIn, daysLeftOf, type Problem, type ServerConfigInput } from '../../server/config';
import { type As2Agreement, As2KeyTransport } from '../protocols/as2-settings';

type PartnerInput = NonNullable<NonNullable<ServerConfigInput['as2']>['partners']>[number];

const PEM = '-----BEGIN ';
/** RSA keys shorter than this are refused by FIPS 186-5. Bits. */
const SHORTEST_RSA = 2_048;

/** Throws a ConfigError that names every certificate that can't be used, by the prop that it was given for. */
export function partnersOf(agreements: readonly As2Agreement[], { fips }: { readonly fips: boolean }): PartnerInput[] {
  const problems: Problem[] = [];
  const partners = agreements.map((agreement, index) => {
    const key = `as2.agreements[${index}]`;
    return partnerOf(agreement, key, { fips, problems });
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return partners;
}

function partnerOf(agreement: As2Agreement, key: string, { fips, problems }: { readonly fips: boolean; readonly problems: Problem[] }): PartnerInput {
  const { partner } = agreement;
  const read = (place: string, at: string) => certificateText(place, at, { fips, problems });
  const certificates = (partner.certificates ?? []).map((one, index) => read(one, `${key}.partner.certificates[${index}]`));
  const other = partner.encryptionCertificate;
  const encryptionCertificate = other === undefined ? undefined : read(other, `${key}.partner.encryptionCertificate`);
  if (!partner.allowExpired) {
    problems.push(...outOfDate(certificates, `${key}.partner.certificates`));
    if (encryptionCertificate !== undefined) problems.push(...outOfDate([encryptionCertificate], `${key}.partner.encryptionCertificate`));
  }
  return {
    as2Id: partner.as2Id,
    account: agreement.account,
    url: partner.url,
    allowPlainHttp: partner.allowPlainHttp,
    tlsCa: partner.tlsCa === undefined ? undefined : textOf(partner.tlsCa, `${key}.partner.tlsCa`, problems),
    certificates: certificates.filter((one) => one !== undefined),
    encryptionCertificate,
    require: { signed: agreement.requireSigned, encrypted: agreement.requireEncrypted },
    digests: agreement.digests,
    ciphers: agreement.ciphers,
    allowExpired: partner.allowExpired,
    send: {
      sign: agreement.sign === false ? false : agreement.signDigest,
      encrypt: agreement.encrypt === false ? false : agreement.encryptCipher,
      keyTransport: agreement.keyTransport ?? (fips ? As2KeyTransport.RSA_OAEP : undefined),
      compress: agreement.compression,
      base64: agreement.base64,
      contentType: agreement.contentType,
      contentTypes: agreement.contentTypes,
      subject: agreement.subject,
    },
    receipt: { kind: agreement.receipt, signed: agreement.receiptSigned, waitSeconds: agreement.receiptWait?.toSeconds() },
    receiptHosts: partner.receiptHosts,
    inbox: agreement.inbox,
    outbox: agreement.outbox,
    sent: agreement.removeSent ? 'remove' : agreement.sent,
    failed: agreement.failed,
    retry: { attempts: agreement.attempts, firstSeconds: agreement.firstWait?.toSeconds(), longestSeconds: agreement.longestWait?.toSeconds() },
    restart: { receive: agreement.restartReceived, send: agreement.restartSent },
  };
}

/** A certificate that ends before is told of: whoever deploys asks the partner for the next one. Days. */
const SOON_DAYS = 30;

/** Partners of whom no certificate lasts for a while, in words. */
export function endingSoon(partners: readonly As2Partner[]): string[] {
  return partners.flatMap(({ as2Id, certificates, allowExpired }) => {
    const left = Math.floor(Math.max(...certificates.map((text) => daysLeftOf(new X509Certificate(text)))));
    if (allowExpired || certificates.length === 0 || left >= SOON_DAYS) return [];
    return [`The certificate of the AS2 partner "${as2Id}" ends in ${left} days, and no other one follows it: ask the partner for the next, and give both.`];
  });
}

/** The prop that stands for a setting of a partner. */
const PROPS: readonly (readonly [setting: RegExp, prop: string])[] = [
  [/^(as2Id|url|allowPlainHttp|tlsCa|certificates|encryptionCertificate|allowExpired|receiptHosts)\b/, 'partner.$1'],
  [/^require\.signed/, 'requireSigned'],
  [/^require\.encrypted/, 'requireEncrypted'],
  [/^send\.sign/, 'signDigest'],
  [/^send\.encrypt/, 'encryptCipher'],
  [/^send\.compress/, 'compression'],
  [/^send\./, ''],
  [/^receipt\.kind/, 'receipt'],
  [/^receipt\.signed/, 'receiptSigned'],
  [/^receipt\.waitSeconds/, 'receiptWait'],
  [/^retry\.attempts/, 'attempts'],
  [/^retry\.firstSeconds/, 'firstWait'],
  [/^retry\.longestSeconds/, 'longestWait'],
  [/^restart\.receive/, 'restartReceived'],
  [/^restart\.send/, 'restartSent'],
];

/** Keys of the server's settings in a text, by the names that the engineer knows them by. */
export function inPropsOfAs2(text: string): string {
  return text
    .replace(/as2\.partners\[(\d+)\]\.([\w.]+)/g, (_, index: string, setting: string) => {
      const [known, prop] = PROPS.find(([one]) => one.test(setting)) ?? [/^$/, ''];
      return `as2.agreements[${index}].${setting.replace(known, prop)}`;
    })
    .replace(/as2\.partners\[(\d+)\]/g, 'as2.agreements[$1]')
    .replace(/as2\.identity\.(as2Id|url)/g, 'as2.$1')
    .replace(/as2\.messageBytes/g, 'as2.maxMessageSize')
    .replace(/as2\.keepDays/g, 'as2.keepFor')
    .replace(/as2\.keepMessageBytes/g, 'as2.keepMessagesUpTo')
    .replace(/as2\.restart\.fromBytes/g, 'as2.restartFrom')
    .replace(/as2\.restart\.keptBytes/g, 'as2.restartSpace')
    .replace(/as2\.restart\.keepHours/g, 'as2.restartWait');
}

function certificateText(place: string, key: string, { fips, problems }: { readonly fips: boolean; readonly problems: Problem[] }): string | undefined {
  const text = textOf(place, key, problems);
  if (text === undefined) return undefined;
  const wrong = (message: string) => {
    problems.push({ key, message: `${place.startsWith(PEM) ? 'the text' : place} ${message}` });
    return undefined;
  };
  if (text.includes('PRIVATE KEY')) return wrong('has a private key in it, which is nobody else’s business; give the certificate alone');
  let found: X509Certificate[];
  try {
    found = certificatesIn(text);
  } catch {
    return wrong('is no certificate that can be read; give it in PEM, as `openssl x509` writes it');
  }
  const [certificate] = found;
  if (!certificate) return wrong('has no certificate in PEM; of one in DER, `openssl x509 -inform der` makes one');
  if (found.length > 1) return wrong(`has ${found.length} certificates; give that of the partner alone, and each further one by itself`);
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
  if (fips && asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) < SHORTEST_RSA)
    return wrong(`has an RSA key of ${asymmetricKeyDetails?.modulusLength} bits, and FIPS takes ${SHORTEST_RSA} or more; ask the partner for another one`);
  return certificate.toString();
}

function textOf(place: string, key: string, problems: Problem[]): string | undefined {
  if (place.startsWith(PEM)) return place;
  try {
    return readFileSync(place, 'utf8');
  } catch (error) {
    problems.push({ key, message: `${JSON.stringify(place)} can't be read (${(error as NodeJS.ErrnoException).code}); name a PEM file, or give the PEM text` });
    return undefined;
  }
}

/** One that still counts is enough: the others follow it, or went before. */
function outOfDate(texts: readonly (string | undefined)[], key: string): Problem[] {
  const certificates = texts.flatMap((text) => (text === undefined ? [] : [new X509Certificate(text)]));
  if (certificates.length === 0 || certificates.length < texts.length || certificates.some((one) => daysLeftOf(one) > 0)) return [];
  const named = certificates.map(
    ({ subject, serialNumber, fingerprint256, validTo }) =>
      `the one of ${subject.replaceAll('\n', ', ')} (serial number ${serialNumber}, SHA-256 ${fingerprint256.replaceAll(':', '').toLowerCase()}) on ${validTo}`,
  );
  return [{ key, message: `expired, ${named.join(', and ')}; give the partner's new certificate, or set partner.allowExpired` }];
}
