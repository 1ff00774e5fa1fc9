/** Checks the signers of signed-data (RFC 5652 section 5.3 to 5.6). */
import { timingSafeEqual, type X509Certificate } from 'node:crypto';
import { digestOfOid } from '../algorithms';
import { MessageFailure } from '../failure';
import type { Digesting } from '../mime/digesting';
import type { Digest, RsaSignature } from '../types';
import { described, isWithinDates, named, subjectOf } from './certificate';
import { malformed, type Node, readWhole, SET, toDer } from './der';
import { CONTENT_TYPE, MESSAGE_DIGEST } from './oids';
import { isSigned, isSignedDigest, readSignatureAlgorithm } from './signature';

export interface Believed {
  readonly certificates: readonly X509Certificate[];
  readonly digests: readonly Digest[];
  readonly allowExpired: boolean;
  readonly now: Date;
  /** Of how many signers at most. */
  readonly signers: number;
}

export interface Signer {
  readonly certificate: X509Certificate;
  readonly digest: Digest;
  readonly signature: RsaSignature | 'ecdsa';
  /** Of the content, in the form that was signed. */
  readonly contentDigest: Buffer;
}

/** What a signer signs besides the content: some hundred bytes, with a certificate or two in them some thousand. Each is looked at piece by piece. */
const MOST_ATTRIBUTE_BYTES = 64 * 1024;

/** Every one of them has to have signed what passed by; the first is returned. Throws a MessageFailure otherwise. */
export async function checkSigners(infos: readonly Node[], contentType: string, passed: Digesting, believed: Believed): Promise<Signer> {
  if (infos.length > believed.signers) throw new MessageFailure('unexpected-processing-error', `the message has more than ${believed.signers} signers`);
  let first: Signer | undefined;
  for (const info of infos) {
    const signer = await checkSigner(info, contentType, passed, believed);
    first ??= signer;
  }
  if (!first) throw new MessageFailure('authentication-failed', 'the message is signed by nobody');
  return first;
}

async function checkSigner(info: Node, contentType: string, passed: Digesting, believed: Believed): Promise<Signer> {
  const fields = info.children;
  const [, name, digestIdentifier] = fields;
  const attributes = fields[3]?.tag === 0xa0 ? fields[3] : undefined;
  if (attributes && attributes.raw.length > MOST_ATTRIBUTE_BYTES) throw malformed('there are more signed attributes than there may be');
  const [algorithm, value] = fields.slice(attributes ? 4 : 3);
  if (!name || !digestIdentifier || !algorithm || !value) throw malformed('a signer is incomplete');
  const digest = digestOfOid(digestIdentifier.child(0).oid);
  if (!digest)
    throw new MessageFailure('unsupported MIC-algorithms', `the message is signed with a digest that is not known (${digestIdentifier.child(0).oid})`);
  const by = readSignatureAlgorithm(algorithm, digest);
  for (const one of [digest, by.digest])
    if (!believed.digests.includes(one)) throw new MessageFailure('unsupported MIC-algorithms', `the partner may not sign with ${one}`);
  const candidates = named(believed.certificates, (certificate) => certificate, name);
  if (candidates.length === 0)
    throw new MessageFailure('authentication-failed', `the message is signed by a certificate that the partner does not have (${described(name)})`);
  const forms = passed.digests(digest);
  if (forms.length === 0) throw new MessageFailure('unsupported MIC-algorithms', `the message is signed with ${digest}, which micalg does not name`);

  const signature = value.octets;
  for (const certificate of candidates) {
    if (!attributes) {
      if (by.kind !== 'pkcs1') throw new MessageFailure('unsupported MIC-algorithms', 'a signature without signed attributes is read of RSA PKCS#1 v1.5 alone');
      const contentDigest = forms.find((form) => isSignedDigest(by, certificate.publicKey, form, signature));
      if (contentDigest) return checked({ certificate, digest, signature: by.kind, contentDigest }, believed);
      continue;
    }
    if (!(await isSignedAttributes(attributes, (data) => isSigned(by, certificate.publicKey, data, signature)))) continue;
    const signedDigest = attribute(attributes, MESSAGE_DIGEST)?.octets;
    if (attribute(attributes, CONTENT_TYPE)?.oid !== contentType || !signedDigest) throw malformed('signed attributes are not those of the content');
    const contentDigest = forms.find((form) => form.length === signedDigest.length && timingSafeEqual(form, signedDigest));
    if (!contentDigest) throw new MessageFailure('integrity-check-failed', 'what came is not what the partner signed');
    return checked({ certificate, digest, signature: by.kind, contentDigest }, believed);
  }
  if (!attributes) throw new MessageFailure('integrity-check-failed', 'what came is not what the partner signed, or the signature is not by its key');
  throw new MessageFailure('authentication-failed', `the signature is not by the key of ${subjectOf(candidates[0]!)}`);
}

function checked(signer: Signer, believed: Believed): Signer {
  if (!believed.allowExpired && !isWithinDates(signer.certificate, believed.now))
    throw new MessageFailure(
      'authentication-failed',
      `the certificate of ${subjectOf(signer.certificate)} holds from ${signer.certificate.validFrom} to ${signer.certificate.validTo}`,
    );
  return signer;
}

/** Signed is DER of a SET (RFC 5652 section 5.4). Some write it into the message in another form or order than they signed it in. */
async function isSignedAttributes(attributes: Node, isRight: (data: Buffer) => Promise<boolean>): Promise<boolean> {
  if (!attributes.isIndefinite) {
    const written = Buffer.from(attributes.raw);
    written[0] = SET;
    if (await isRight(written)) return true;
  }
  const sorted = toDer(attributes, true);
  sorted[0] = SET;
  return isRight(toDer(readWhole(sorted), true));
}

/** The one value of an attribute that may be there once. */
function attribute(attributes: Node, id: string): Node | undefined {
  const found = attributes.children.filter((one) => one.child(0).oid === id);
  if (found.length > 1 || (found[0] && found[0].child(1).children.length !== 1)) throw malformed('a signed attribute is there twice');
  return found[0]?.child(1).child(0);
}
