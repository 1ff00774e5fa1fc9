/** Finds who of us a message is encrypted for, and the key that is kept for it (RFC 5652 section 6.2). */
import { digestOfOid } from '../algorithms';
import { MessageFailure } from '../failure';
import type { Digest, KeyPair, KeyTransport } from '../types';
import { unwrapAgreed } from './agreed-key';
import { identityOf, named } from './certificate';
import { malformed, type Node } from './der';
import { RSA, RSA_OAEP } from './oids';
import { unwrapOaep, unwrapPkcs1 } from './rsa-key';

export interface Opening {
  readonly recipient: KeyPair;
  readonly transport: KeyTransport;
  /** The key of the content, or a random one of that length where what was kept is none. */
  readonly contentKey: (bytes: number) => Buffer;
}

const KEY_AGREEMENT = 0xa1;

/** The first recipient that is one of ours. Throws a MessageFailure where there is none. */
export function openingFor(recipients: readonly Node[], ours: readonly KeyPair[]): Opening {
  for (const info of recipients) {
    const opening = info.tag === 0x30 ? byTransport(info, ours) : info.tag === KEY_AGREEMENT ? byAgreement(info, ours) : undefined;
    if (opening) return opening;
  }
  throw new MessageFailure('decryption-failed', 'the message is encrypted for none of our certificates');
}

function byTransport(info: Node, ours: readonly KeyPair[]): Opening | undefined {
  const [, name, keyEncryption, wrapped] = info.children;
  if (!name || !keyEncryption || !wrapped) throw malformed('a recipient is incomplete');
  const recipient = named(ours, ({ certificate }) => certificate, name).find(({ key }) => key.asymmetricKeyType === 'rsa');
  if (!recipient) return undefined;
  const id = keyEncryption.child(0).oid;
  if (id === RSA) return { recipient, transport: 'rsa-pkcs1', contentKey: (bytes) => unwrapPkcs1(recipient.key, wrapped.octets, bytes) };
  if (id !== RSA_OAEP) throw new MessageFailure('unsupported format', `the key is kept by an algorithm that is not known (${id})`);
  const { digest, mask, label } = oaepParameters(keyEncryption.children[1]);
  return { recipient, transport: 'rsa-oaep', contentKey: (bytes) => unwrapOaep(recipient.key, wrapped.octets, bytes, digest, mask, label) };
}

/** RFC 8017 appendix A.2.1: what is left out is SHA-1, a mask by SHA-1, no label. */
function oaepParameters(parameters: Node | undefined): { readonly digest: Digest; readonly mask: Digest; readonly label: Buffer } {
  const fields = parameters?.tag === 0x30 ? parameters.children : [];
  const field = (tag: number) => fields.find((one) => one.tag === tag)?.child(0);
  const digestOf = (node: Node | undefined) => {
    const digest = node ? digestOfOid(node.child(0).oid) : 'sha1';
    if (!digest) throw new MessageFailure('unsupported format', 'the key is kept by OAEP with a digest that is not known');
    return digest;
  };
  return { digest: digestOf(field(0xa0)), mask: digestOf(field(0xa1)?.child(1)), label: field(0xa2)?.child(1).octets ?? Buffer.alloc(0) };
}

function byAgreement(info: Node, ours: readonly KeyPair[]): Opening | undefined {
  const fields = info.children;
  const originator = fields.find(({ tag }) => tag === 0xa0)?.child(0);
  const material = fields.find(({ tag }) => tag === 0xa1)?.child(0).octets;
  const [keyEncryption, keys] = fields.slice(-2);
  if (!originator || !keyEncryption || !keys || fields.length < 4) throw malformed('a recipient is incomplete');
  // Only a key of the moment is known ([1] OriginatorPublicKey); a sender's certificate is nothing that peers use.
  if (originator.tag !== KEY_AGREEMENT) return undefined;
  const point = originator.child(1).content.subarray(1);
  for (const one of keys.children) {
    const name = one.child(0);
    // [0] RecipientKeyIdentifier is a sequence that begins with the identifier.
    const plain = name.tag === 0xa0 ? name.child(0) : name;
    const recipient = (plain === name ? named(ours, ({ certificate }) => certificate, name) : byKeyIdentifier(ours, plain)).find(
      ({ key }) => key.asymmetricKeyType === 'ec',
    );
    if (!recipient) continue;
    const wrapped = one.child(1).octets;
    return {
      recipient,
      transport: 'ecdh',
      contentKey: (bytes) => {
        const key = unwrapAgreed(recipient.key, recipient.certificate.publicKey, point, keyEncryption, material, wrapped);
        if (key.length !== bytes) throw malformed('a key is of another length than its cipher has');
        return key;
      },
    };
  }
  return undefined;
}

function byKeyIdentifier(ours: readonly KeyPair[], identifier: Node): readonly KeyPair[] {
  return ours.filter(({ certificate }) => identityOf(certificate).keyIdentifier?.equals(identifier.octets));
}
