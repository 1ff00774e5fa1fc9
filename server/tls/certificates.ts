/** The certificates that are served: loaded, checked, replaced while sessions go on, chosen by the name a client asks for. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Audit } from '../audit/event';
import type { ServerConfig } from '../config';
import { contextOptions, tlsPolicies } from './policy';

/** One certificate with its key, as PEM. */
export interface KeyPair {
  /** The certificate, then its chain. */
  readonly certificate: string;
  readonly key: string;
}

/** What is served at one time: a context for every name, and one for clients that name nobody. */
interface Served {
  readonly fallback: SecureContext;
  readonly byName: ReadonlyMap<string, SecureContext>;
}

export class ServerCertificates {
  private constructor(
    private served: Served,
    private readonly tls: ServerConfig['tls'],
    private readonly audit: Audit,
  ) {}

  /** Loads everything. Throws an Error that says which file is wrong and how; a server without a certificate doesn't start. */
  static async open(tls: ServerConfig['tls'], audit: Audit): Promise<ServerCertificates> {
    const pairs = await loadPairs(tls);
    const opened = new ServerCertificates(await serve(pairs, tls), tls, audit);
    for (const pair of pairs) audit.record({ kind: 'certificate', change: 'loaded', ...describe(pair) });
    return opened;
  }

  /** Looks at the files again. A bad certificate is refused and reported, and the last good one stays. */
  async reload(): Promise<boolean> {
    try {
      const pairs = await loadPairs(this.tls);
      this.served = await serve(pairs, this.tls);
      for (const pair of pairs) this.audit.record({ kind: 'certificate', change: 'replaced', ...describe(pair) });
      return true;
    } catch (error) {
      this.audit.record({ kind: 'certificate', change: 'refused', reason: (error as Error).message });
      return false;
    }
  }

  /** What a handshake that begins now uses. */
  handshake(): { context: SecureContext; contextFor?: (serverName: string) => SecureContext | undefined } {
    const { fallback, byName } = this.served;
    return byName.size === 0
      ? { context: fallback }
      : { context: fallback, contextFor: (name) => byName.get(name.toLowerCase()) ?? byName.get(name.toLowerCase().replace(/^[^.]+/, '*')) };
  }
}

async function loadPairs(tls: ServerConfig['tls']): Promise<KeyPair[]> {
  return Promise.all(
    tls.certificates.map(async (source) => {
      if (source.kind === 'secret') throw new Error(`tls.certificates: the secret ${source.secretId} can't be read here; use kind "file"`);
      return { certificate: await text(source.certificate), key: await text(source.key) };
    }),
  );
}

async function text(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Error(`${file}: can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** Makes the contexts. Certificates for the same names (RSA beside ECDSA) share one; the first file is for clients that name nobody. */
async function serve(pairs: readonly KeyPair[], tls: ServerConfig['tls']): Promise<Served> {
  const clientCa = tls.clientCa ? await text(tls.clientCa) : undefined;
  const crl = tls.clientCrl ? await text(tls.clientCrl) : undefined;
  const groups = new Map<string, KeyPair[]>();
  for (const pair of pairs) {
    check(pair);
    const names = namesOf(pair).join(' ');
    groups.set(names, [...(groups.get(names) ?? []), pair]);
  }
  const contexts = [...groups].map(([names, group]) => ({
    names: names.split(' ').filter(Boolean),
    context: createSecureContext({
      ...contextOptions(tlsPolicies[tls.policy]),
      cert: group.map(({ certificate }) => certificate),
      key: group.map(({ key }) => key),
      ...(clientCa ? { ca: clientCa } : {}),
      ...(crl ? { crl } : {}),
    }),
  }));
  const byName = new Map<string, SecureContext>();
  if (contexts.length > 1) for (const { names, context } of contexts) for (const name of names) if (!byName.has(name)) byName.set(name, context);
  return { fallback: contexts[0]!.context, byName };
}

function check(pair: KeyPair): void {
  const certificate = new X509Certificate(pair.certificate);
  if (!certificate.checkPrivateKey(createPrivateKey(pair.key)))
    throw new Error(`certificate ${certificate.serialNumber}: the private key belongs to another certificate`);
  if (new Date(certificate.validTo) < new Date()) throw new Error(`certificate ${certificate.serialNumber}: expired on ${certificate.validTo}`);
}

function namesOf({ certificate }: KeyPair): string[] {
  const names = new X509Certificate(certificate).subjectAltName ?? '';
  return [...names.matchAll(/DNS:([^,\s]+)/g)].map((match) => match[1]!.toLowerCase()).sort();
}

function describe(pair: KeyPair) {
  const { subject, serialNumber, validTo } = new X509Certificate(pair.certificate);
  return { subject: subject.replaceAll('\n', ', '), serialNumber, notAfter: new Date(validTo).toISOString() };
}
