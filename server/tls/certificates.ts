/** The certificates that are served: loaded, checked, replaced while sessions go on, chosen by the name a client asks for. */
import { X509Certificate } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { z } from 'zod';
import type { Audit } from '../audit/event';
import { certificateProblems, certificatesIn, type ServerConfig } from '../config';
import { readSecret } from '../secrets/secret';
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
  private timers: NodeJS.Timeout[] = [];
  private watchers: FSWatcher[] = [];
  private fingerprint = '';

  private constructor(
    private served: Served,
    private readonly tls: ServerConfig['tls'],
    private readonly audit: Audit,
  ) {}

  /** Loads everything. Throws an Error that says which certificate is wrong and how; a server without one doesn't start. */
  static async open(tls: ServerConfig['tls'], audit: Audit): Promise<ServerCertificates> {
    const pairs = await loadPairs(tls);
    const opened = new ServerCertificates(await serve(pairs, tls), tls, audit);
    opened.fingerprint = fingerprintOf(pairs);
    for (const pair of pairs) audit.record({ kind: 'certificate', change: 'loaded', ...describe(pair) });
    opened.watch();
    return opened;
  }

  /** Looks at files and secrets again. A bad certificate is refused and reported, and the last good one stays. */
  async reload(): Promise<boolean> {
    try {
      const pairs = await loadPairs(this.tls);
      const served = await serve(pairs, this.tls);
      const fingerprint = fingerprintOf(pairs);
      this.served = served;
      if (fingerprint !== this.fingerprint) for (const pair of pairs) this.audit.record({ kind: 'certificate', change: 'replaced', ...describe(pair) });
      this.fingerprint = fingerprint;
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

  close(): void {
    for (const timer of this.timers) clearInterval(timer);
    for (const watcher of this.watchers) watcher.close();
  }

  /** Files are watched by their folders, because they are replaced rather than written into; secrets are asked for in turns. */
  private watch(): void {
    let settling: NodeJS.Timeout | undefined;
    const soon = () => {
      clearTimeout(settling);
      settling = setTimeout(() => void this.reload(), SETTLE_MS).unref();
    };
    const files = [
      ...this.tls.certificates.flatMap((source) => (source.kind === 'file' ? [source.certificate, source.key] : [])),
      ...[this.tls.clientCa, this.tls.clientCrl].filter((file) => file !== undefined),
    ];
    for (const folder of new Set(files.map((file) => dirname(file)))) {
      const names = new Set(files.filter((file) => dirname(file) === folder).map((file) => basename(file)));
      this.watchers.push(watch(folder, { persistent: false }, (_event, name) => (name === null || names.has(name) ? soon() : undefined)));
    }
    for (const source of this.tls.certificates) {
      if (source.kind !== 'secret') continue;
      // A tenth of jitter, so that a fleet does not ask all at once.
      const milliseconds = source.pollSeconds * 1000 * (0.9 + Math.random() * 0.2);
      this.timers.push(setInterval(() => void this.reload(), milliseconds).unref());
    }
  }
}

/** A file is written in several steps; it is read when it has been quiet for that long. */
const SETTLE_MS = 100;

function fingerprintOf(pairs: readonly KeyPair[]): string {
  return pairs.map(({ certificate }) => new X509Certificate(certificate).fingerprint256).join();
}

async function loadPairs(tls: ServerConfig['tls']): Promise<KeyPair[]> {
  return Promise.all(
    tls.certificates.map(async (source) => {
      if (source.kind === 'file') return { certificate: await text(source.certificate), key: await text(source.key) };
      const { certificate, chain, privateKey } = certificateSecret.parse(await readSecret(source.secretId));
      return { certificate: `${certificate.trim()}\n${chain}`, key: privateKey };
    }),
  );
}

/** What the rotation Lambda writes. */
const certificateSecret = z.object({ certificate: z.string().min(1), chain: z.string(), privateKey: z.string().min(1) });

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

/** A chain may be left out where clients know the authority; everything else must be in order. */
function check(pair: KeyPair): void {
  const [leaf, ...chain] = certificatesIn(pair.certificate);
  const material = { certificate: leaf?.toString() ?? '', chain: chain.join('\n'), privateKey: pair.key };
  const problems = certificateProblems(material, { completeChain: false });
  if (problems.length > 0) throw new Error(`certificate ${leaf?.serialNumber ?? ''}: ${problems.join('; ')}`);
}

function namesOf({ certificate }: KeyPair): string[] {
  const names = new X509Certificate(certificate).subjectAltName ?? '';
  return [...names.matchAll(/DNS:([^,\s]+)/g)].map((match) => match[1]!.toLowerCase()).sort();
}

function describe(pair: KeyPair) {
  const { subject, serialNumber, validTo } = new X509Certificate(pair.certificate);
  return { subject: subject.replaceAll('\n', ', '), serialNumber, notAfter: new Date(validTo).toISOString() };
}
