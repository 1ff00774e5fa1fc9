/** Asks a certificate's authority whether it still stands (OCSP, RFC 6960), so that the answer can be stapled to handshakes. */
import { createHash, verify, X509Certificate } from 'node:crypto';
import {
  BasicOCSPResponse,
  CertID,
  id_pkix_ocsp_basic,
  OCSPRequest,
  OCSPResponse,
  OCSPResponseStatus,
  Request,
  type SingleResponse,
  TBSRequest,
} from '@peculiar/asn1-ocsp';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import { AlgorithmIdentifier, Certificate } from '@peculiar/asn1-x509';

/** An answer of the authority, checked. */
export interface OcspAnswer {
  readonly status: 'good' | 'revoked' | 'unknown';
  /** DER of the whole answer, as it is stapled. */
  readonly der: Buffer;
  readonly thisUpdate: Date;
  /** When it may no longer be stapled. */
  readonly until: Date;
}

const ANSWER_SECONDS = 10;
/** A whole answer with the certificates of its signer takes 1 to 5 KiB; it is sent in the clear, so that anybody on the way may answer. Bytes. */
const LONGEST_ANSWER = 16_384;
/** Authorities without nextUpdate have newer answers all the time (RFC 6960 section 2.4). */
const HOUR_MS = 3_600_000;
const CLOCK_SKEW_MS = 5 * 60_000;
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const SHA1 = '1.3.14.3.2.26';

/** Where the certificate says that it can be asked about (authority information access), if it does. */
export function ocspAddress(certificate: X509Certificate): string | undefined {
  return /^OCSP - URI:(https?:\/\/\S+)$/m.exec(certificate.infoAccess ?? '')?.[1];
}

/** Throws an Error that says what is wrong where no answer comes, or none that can be stapled. */
export async function askOcsp(address: string, certificate: X509Certificate, issuer: X509Certificate): Promise<OcspAnswer> {
  const id = certificateId(certificate, issuer);
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/ocsp-request', accept: 'application/ocsp-response' },
    body: new Uint8Array(AsnConvert.serialize(new OCSPRequest({ tbsRequest: new TBSRequest({ requestList: [new Request({ reqCert: id })] }) }))),
    redirect: 'error',
    signal: AbortSignal.timeout(ANSWER_SECONDS * 1000),
  }).catch((error: Error) => {
    throw new Error(`${address} does not answer (${((error.cause as NodeJS.ErrnoException | undefined)?.code ?? error.name).toString()})`);
  });
  if (!response.ok) throw new Error(`${address} answers with HTTP status ${response.status}`);
  return readAnswer(await wholeAnswer(response, address), id, issuer);
}

/** No more is read than can be an answer. */
async function wholeAnswer(response: Response, address: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body ?? []) {
    length += piece.length;
    if (length > LONGEST_ANSWER) throw new Error(`${address} answers with more than ${LONGEST_ANSWER} bytes, which is too much to staple`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Which certificate is meant. The hash is SHA-1, because many responders know no other (RFC 5019 section 2.1.1); nothing rests on its strength. */
function certificateId(certificate: X509Certificate, issuer: X509Certificate): CertID {
  const { tbsCertificate } = AsnConvert.parse(certificate.raw, Certificate);
  const { subjectPublicKeyInfo } = AsnConvert.parse(issuer.raw, Certificate).tbsCertificate;
  return new CertID({
    hashAlgorithm: new AlgorithmIdentifier({ algorithm: SHA1, parameters: null }),
    issuerNameHash: new OctetString(sha1(AsnConvert.serialize(tbsCertificate.issuer))),
    issuerKeyHash: new OctetString(sha1(subjectPublicKeyInfo.subjectPublicKey)),
    serialNumber: tbsCertificate.serialNumber,
  });
}

function sha1(bytes: ArrayBuffer): Uint8Array {
  return new Uint8Array(createHash('sha1').update(new Uint8Array(bytes)).digest());
}

function readAnswer(der: Buffer, id: CertID, issuer: X509Certificate): OcspAnswer {
  const outer = AsnConvert.parse(der, OCSPResponse);
  if (outer.responseStatus !== OCSPResponseStatus.successful || outer.responseBytes?.responseType !== id_pkix_ocsp_basic)
    throw new Error(`the authority gives no answer (status ${OCSPResponseStatus[outer.responseStatus] ?? outer.responseStatus})`);
  const basic = AsnConvert.parse(outer.responseBytes.response, BasicOCSPResponse);
  if (!signedBy(basic, issuer)) throw new Error('the answer is not signed by the authority');
  const single = basic.tbsResponseData.responses.find((one) => sameCertificate(one, id));
  if (!single) throw new Error('the answer is about another certificate');
  const until = single.nextUpdate ?? new Date(single.thisUpdate.getTime() + HOUR_MS);
  if (single.thisUpdate.getTime() > Date.now() + CLOCK_SKEW_MS || until.getTime() <= Date.now()) throw new Error('the answer is of another time');
  const { good, revoked } = single.certStatus;
  return { status: good !== undefined ? 'good' : revoked ? 'revoked' : 'unknown', der, thisUpdate: single.thisUpdate, until };
}

function sameCertificate({ certID }: SingleResponse, id: CertID): boolean {
  const same = (one: ArrayBuffer, other: ArrayBuffer) => Buffer.from(one).equals(Buffer.from(other));
  return (
    certID.hashAlgorithm.algorithm === SHA1 &&
    same(certID.serialNumber, id.serialNumber) &&
    same(certID.issuerKeyHash.buffer, id.issuerKeyHash.buffer) &&
    same(certID.issuerNameHash.buffer, id.issuerNameHash.buffer)
  );
}

/** By the issuer itself, or by a responder that the issuer certified for this (RFC 6960 section 4.2.2.2). */
function signedBy(answer: BasicOCSPResponse, issuer: X509Certificate): boolean {
  const data = new Uint8Array(answer.tbsResponseDataRaw ?? AsnConvert.serialize(answer.tbsResponseData));
  const digest = digests[answer.signatureAlgorithm.algorithm];
  if (digest === undefined) return false;
  const delegates = (answer.certs ?? [])
    .map((certificate) => new X509Certificate(Buffer.from(AsnConvert.serialize(certificate))))
    .filter(
      (certificate) =>
        certificate.keyUsage?.includes(OCSP_SIGNING) &&
        certificate.checkIssued(issuer) &&
        certificate.verify(issuer.publicKey) &&
        Date.parse(certificate.validTo) > Date.now(),
    );
  return [issuer, ...delegates].some(({ publicKey }) => verify(digest, data, publicKey, new Uint8Array(answer.signature)));
}

/** Signature algorithms of answers, with SHA-256 or stronger. */
const digests: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
};
