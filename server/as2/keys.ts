/** Our keys and the certificates of partners: read from files, settings and secrets, replaced while messages come and go. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Audit } from '../audit/event';
import type { As2Config, As2Partner } from '../config';
import { watchFile } from '../identity/watch-file';
import { readSecret } from '../secrets/secret';
import type { KeyPair } from './message';

type Source = As2Config['identity']['signing'];

export interface PartnerKeys {
  /** By each of which the partner may have signed. */
  readonly signers: readonly X509Certificate[];
  /** That messages to the partner are encrypted for. */
  readonly encryption: X509Certificate | undefined;
}

interface Loaded {
  readonly signing: KeyPair;
  /** Signs after the next change of keys. */
  readonly next: KeyPair | undefined;
  readonly decryption: readonly KeyPair[];
  readonly partners: ReadonlyMap<string, PartnerKeys>;
}

const PEM = '-----BEGIN ';
const pairForm = z.object({ certificate: z.string().min(1), privateKey: z.string().min(1) });
/** `next` and `previous` decrypt as well: the one will sign, the other did. */
const secretForm = pairForm.extend({ next: pairForm.optional(), previous: pairForm.optional() });

export class Keys {
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly watchers: FSWatcher[] = [];

  private constructor(
    private readonly settings: As2Config,
    private readonly audit: Audit,
    private loaded: Loaded,
  ) {}

  /** Throws an Error that names the setting where a key or certificate can't be used. */
  static async open(settings: As2Config, audit: Audit): Promise<Keys> {
    const keys = new Keys(settings, audit, await load(settings));
    const again = () => void keys.reload();
    const { signing, decryption } = settings.identity;
    for (const one of [signing, ...decryption])
      if (one.kind === 'file') keys.watchers.push(watchFile(one.certificate, again), watchFile(one.key, again));
      // A tenth of jitter, so that a fleet does not ask all at once.
      else keys.timers.push(setInterval(again, one.pollSeconds * 1000 * (0.9 + Math.random() * 0.2)).unref());
    for (const file of new Set(settings.partners.flatMap(certificatesOf).filter((one) => !one.startsWith(PEM)))) keys.watchers.push(watchFile(file, again));
    return keys;
  }

  get signing(): KeyPair {
    return this.loaded.signing;
  }

  /** The pair that signs after the next change of keys, whose certificate partners can be told; undefined where its secret has none. */
  get next(): KeyPair | undefined {
    return this.loaded.next;
  }

  get decryption(): readonly KeyPair[] {
    return this.loaded.decryption;
  }

  of({ as2Id }: Pick<As2Partner, 'as2Id'>): PartnerKeys {
    return this.loaded.partners.get(as2Id)!;
  }

  /** Reads them again, for messages that come from now on. What is bad is refused and reported, and the last good ones stay. */
  async reload(): Promise<boolean> {
    try {
      const before = describe(this.loaded);
      this.loaded = await load(this.settings);
      const now = describe(this.loaded);
      if (now !== before) this.audit.record({ kind: 'configuration', change: 'reloaded', what: 'AS2 certificates', detail: now });
      return true;
    } catch (error) {
      this.audit.record({ kind: 'configuration', change: 'refused', what: 'AS2 certificates', detail: (error as Error).message });
      return false;
    }
  }

  close(): void {
    for (const timer of this.timers) clearInterval(timer);
    for (const watcher of this.watchers) watcher.close();
  }
}

function certificatesOf({ certificates, encryptionCertificate }: As2Partner): string[] {
  return [...certificates, ...(encryptionCertificate === undefined ? [] : [encryptionCertificate])];
}

function describe({ signing, decryption, partners }: Loaded): string {
  const name = (certificate: X509Certificate | undefined) => certificate?.fingerprint256.replaceAll(':', '').toLowerCase().slice(0, 16) ?? 'none';
  const ours = [signing, ...decryption].map((one) => name(one.certificate)).join(' ');
  return [ours, ...[...partners].map(([id, { signers, encryption }]) => `${id} ${signers.map(name).join(' ')} ${name(encryption)}`)].join(', ');
}

async function load({ identity, partners }: As2Config): Promise<Loaded> {
  const own = await keyPairsIn(identity.signing, 'as2.identity.signing');
  const others = await Promise.all(identity.decryption.map((one, index) => keyPairsIn(one, `as2.identity.decryption[${index}]`)));
  const decryption = others.length > 0 ? others : [own];
  const known = await Promise.all(
    partners.map(async (partner, index) => {
      const key = `as2.partners[${index}]`;
      const signers = await Promise.all(partner.certificates.map((one, place) => certificateIn(one, `${key}.certificates[${place}]`)));
      const other = partner.encryptionCertificate;
      const encryption = other === undefined ? signers[0] : await certificateIn(other, `${key}.encryptionCertificate`);
      return [partner.as2Id, { signers, encryption }] as const;
    }),
  );
  return { signing: own.current, next: own.next, decryption: decryption.flatMap(allOf), partners: new Map(known) };
}

interface Pairs {
  readonly current: KeyPair;
  readonly next?: KeyPair;
  readonly previous?: KeyPair;
}

function allOf({ current, next, previous }: Pairs): KeyPair[] {
  return [current, ...(next ? [next] : []), ...(previous ? [previous] : [])];
}

async function keyPairsIn(source: Source, key: string): Promise<Pairs> {
  if (source.kind === 'file') return { current: keyPairOf(await textOf(source.certificate, key), await textOf(source.key, key), key) };
  const value = secretForm.safeParse(await readSecret(source.secretId));
  if (!value.success) throw new Error(`${key}.secretId: ${source.secretId} has not both certificate and privateKey`);
  const { next, previous, ...current } = value.data;
  return {
    current: keyPairOf(current.certificate, current.privateKey, key),
    next: next && keyPairOf(next.certificate, next.privateKey, `${key} (next)`),
    previous: previous && keyPairOf(previous.certificate, previous.privateKey, `${key} (previous)`),
  };
}

function keyPairOf(certificateText: string, keyText: string, key: string): KeyPair {
  let pair: KeyPair;
  try {
    pair = { certificate: new X509Certificate(certificateText), key: createPrivateKey(keyText) };
  } catch (error) {
    throw new Error(`${key}: ${(error as Error).message.replace(/^error:\S*/, 'no PEM certificate with its private key:')}`);
  }
  if (!pair.certificate.checkPrivateKey(pair.key)) throw new Error(`${key}: the private key is not that of the certificate`);
  return pair;
}

async function certificateIn(place: string, key: string): Promise<X509Certificate> {
  const text = place.startsWith(PEM) ? place : await textOf(place, key);
  try {
    return new X509Certificate(text);
  } catch {
    throw new Error(`${key}: ${place.startsWith(PEM) ? 'the text' : place} has no PEM certificate`);
  }
}

function textOf(file: string, key: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${key}: ${file} can't be read (${error.code})`);
  });
}
